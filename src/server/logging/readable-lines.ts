/**
 * The log for people: pino's lines of JSON, as a time, a level, what happened and its facts, with what was
 * thrown below it. It gets lines in which secrets and control characters are replaced already, and what a
 * value holds of line ends begins no line of its own but within `detail`, whose lines are indented.
 */
import { styleText } from "node:util";
import { escapeInvisible } from "../../bots/failures/visible-text.ts";

type Style = Parameters<typeof styleText>[0];
type Fields = Readonly<Record<string, unknown>>;

export interface ReadableOptions {
  /** Where the lines go: colours are used where it shows them, and NO_COLOR and FORCE_COLOR have their say. */
  readonly stream?: NodeJS.WriteStream | undefined;
  /** Requests that were answered well, too: of one page there are dozens. */
  readonly allRequests: boolean;
}

const levels: Readonly<Record<number, readonly [string, Style]>> = {
  10: ["trace", "dim"],
  20: ["debug", "dim"],
  30: ["info ", "green"],
  40: ["warn ", "yellow"],
  50: ["error", "red"],
  60: ["fatal", "red"],
};

/** Of requests whose end is still to come. */
const requestsAtMost = 1_000;
const framesShown = 5;
const indent = " ".repeat(15);
/** What has a place of its own, or says nothing on a terminal. */
const unlisted: ReadonlySet<string> = new Set(
  "level time pid hostname msg detail err req res reqId responseTime console said".split(" "),
);

/** @returns the text of each line of JSON, which is empty where a person needs none */
export function readableLines({ stream, allRequests }: ReadableOptions): (line: string) => string {
  const requests = new Map<unknown, string>();
  const paint = (style: Style, text: string): string =>
    stream === undefined ? text : styleText(style, text, { stream });

  function whatHappened(fields: Fields): string | undefined {
    const { msg, said, reqId, req, res, responseTime } = fields;
    if (typeof said === "string") return said.split("\n", 1)[0];
    if (msg === "incoming request") {
      const { method, path } = (req ?? {}) as Fields;
      if (requests.size < requestsAtMost) requests.set(reqId, `${method} ${path}`);
      return undefined;
    }
    if (msg !== "request completed") return String(msg ?? "");
    const request = requests.get(reqId) ?? "request";
    requests.delete(reqId);
    const { statusCode } = (res ?? {}) as Fields;
    if (!allRequests && Number(statusCode) < 500) return undefined;
    return `${request} ${statusCode} in ${Math.round(Number(responseTime))} ms`;
  }

  return (line) => {
    const fields = parsed(line);
    if (fields === undefined) return line;
    const happened = whatHappened(fields);
    if (happened === undefined) return "";
    const [name, style] = levels[Number(fields.level)] ?? ["     ", "dim"];
    const facts = Object.entries(fields).flatMap(([key, value]) =>
      unlisted.has(key) ? [] : [paint("dim", `${escapeInvisible(key)}=${onOneLine(value)}`)],
    );
    const head = [paint("dim", timeOf(fields.time)), paint(style, name), escapeInvisible(happened)];
    const below = linesBelow(fields).map((each) => `${indent}${escapeInvisible(each)}\n`);
    return `${[...head, ...facts].join(" ")}\n${below.join("")}`;
  };
}

function parsed(line: string): Fields | undefined {
  try {
    return JSON.parse(line) as Fields;
  } catch {
    return undefined;
  }
}

/** The time of day, where the terminal is. */
function timeOf(time: unknown): string {
  return new Date(Number(time)).toTimeString().slice(0, 8);
}

/** What is told over several lines, below the first. */
function linesBelow({ said, detail, err }: Fields): readonly string[] {
  if (typeof said === "string") return said.split("\n").slice(1);
  if (typeof detail === "string") return detail.split("\n");
  if (typeof err !== "object" || err === null) return [];
  const { type, message, code, stack, cause } = err as Fields;
  const head = [type, code === undefined ? undefined : `(${code})`, message]
    .filter((part) => part !== undefined)
    .join(" ");
  const frames = Array.isArray(stack) ? stack.slice(0, framesShown).map(String) : [];
  return [head, ...frames.map((frame) => `    ${frame}`), ...linesBelow({ err: cause })];
}

function onOneLine(value: unknown): string {
  return escapeInvisible(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
}
