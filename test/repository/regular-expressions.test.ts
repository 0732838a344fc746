/**
 * Every regular expression of the sources, and what others' texts go through whole, takes time that grows
 * with the text's length, however the text is made: where it grows with the square, one permitted message
 * holds the thread for seconds.
 */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { HumanMessage } from "@langchain/core/messages";
import { parseAst } from "vite";
import { expect, test } from "vitest";
import { withoutKeys } from "../../src/bots/failures/secret-shapes.ts";
import { normalizedError } from "../../src/bots/provider/refusal/refusal-body.ts";
import { localReply } from "../../src/shipped/local/local-replies.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Expressions that read the operator's own words alone: the environment, the client's address. */
const trusted = new Set([
  String.raw`:\/\/[^:@/]*:(?=(?<longest>.*)@)(?<shortest>[^@]+)@`,
  String.raw`\/+$`,
]);

interface Expression {
  readonly place: string;
  readonly pattern: string;
  readonly flags: string;
}

async function expressions(): Promise<Expression[]> {
  const found: Expression[] = [];
  for (const folder of ["src", "client/src"]) {
    const names = await readdir(join(root, folder), { recursive: true });
    for (const name of names.filter((one) => /\.tsx?$/.test(one))) {
      const place = join(folder, name);
      const lang = name.endsWith("x") ? "tsx" : "ts";
      collect(parseAst(await readFile(join(root, place), "utf8"), { lang }), (regex) => {
        found.push({ place, ...regex });
      });
    }
  }
  return found;
}

function collect(node: unknown, add: (regex: { pattern: string; flags: string }) => void): void {
  if (typeof node !== "object" || node === null) return;
  if ("regex" in node) add(node.regex as { pattern: string; flags: string });
  for (const child of Object.values(node)) collect(child, add);
}

/** Signs of every kind that a class may stand for. */
const signs = [..." aA1.,:;=(<[{\"'/-_+%@\n\\\u00a0あの漢"];

/** What an expression may begin to read again and again: its words, and what its classes stand for. */
function piecesOf(pattern: string): string[] {
  const plain = pattern.replaceAll(/\\[a-zA-Z](\{[^}]*\})?/g, " ").replaceAll("\\", "");
  return plain.match(/[\p{L}\p{N}<>"':=/_ -]{2,}/gu)?.slice(0, 24) ?? [];
}

function attacksOn(pattern: string, length: number): string[] {
  const words = piecesOf(pattern);
  const repeated = [...words, ...words.map((word) => `${word} `), ...signs];
  const before = ["", ...words.slice(0, 6)];
  return repeated.flatMap((piece) =>
    before.map((word) => `${word}${piece.repeat(Math.ceil(length / piece.length))}\u0001`),
  );
}

function timeMs(read: (text: string) => unknown, text: string): number {
  const startedMs = performance.now();
  read(text);
  return performance.now() - startedMs;
}

/** Read step by step they take a few at most; with the square of their length, hundreds. */
const noticeableMs = 25;
const rounds = 5;

/** Whether a text takes far longer than four times what one of a quarter of its length takes, at best. */
function isSlow(read: (text: string) => unknown, long: string, short: string): boolean {
  let [longMs, shortMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++) {
    longMs = Math.min(longMs, timeMs(read, long));
    if (longMs < noticeableMs) return false;
    shortMs = Math.min(shortMs, timeMs(read, short));
  }
  return longMs > 8 * shortMs;
}

function slowText({ pattern, flags }: Expression): string | undefined {
  const expression = new RegExp(pattern, flags.includes("g") ? flags : `${flags}g`);
  const read = (text: string) => text.replaceAll(expression, "");
  const short = attacksOn(pattern, 4_000);
  const long = attacksOn(pattern, 16_000);
  return short.find((text, index) => isSlow(read, long[index] ?? "", text))?.slice(0, 40);
}

test("no regular expression is slow on a text that is made for it", async () => {
  const all = await expressions();
  expect(all.length).toBeGreaterThan(50);
  const slow = all.flatMap((one) => {
    if (trusted.has(one.pattern)) return [];
    const text = slowText(one);
    return text === undefined ? [] : [`${one.place}: /${one.pattern}/${one.flags} on ${text}`];
  });
  expect(slow).toEqual([]);
});

const wholeTexts: Record<string, (text: string) => unknown> = {
  "the local model": (text) => localReply([new HumanMessage(text)], []),
  "the local model, with tools": (text) =>
    localReply([new HumanMessage(text)], ["search", "calculator", "time"]),
  "a refusal": (text) => normalizedError(`<${text}`),
  "a provider's words": withoutKeys,
};

test.each(Object.entries(wholeTexts))("%s reads what is made to be slow", (_, read) => {
  // What is read once for all of them.
  read("Tell me about runs.");
  const words = [
    "song about ",
    "lyrics of . ",
    "さっき",
    "の歌",
    "についての歌",
    "sqrt(",
    "(1",
    "1-",
  ];
  const markup = ["<script", "<style>", "</script ", "<script></script "];
  const slow = [...words, ...markup, ...signs].filter((piece) => {
    const textOf = (length: number) => `${piece.repeat(length / piece.length)}\u0001`;
    return isSlow(read, textOf(32_000), textOf(8_000));
  });
  expect(slow).toEqual([]);
});
