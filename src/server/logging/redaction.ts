/**
 * Hides secrets in log lines by their values, in every spelling that a library, a URL or a header may
 * have given them: without the blanks around, encoded and decoded, as Basic authentication, as JSON
 * within JSON. A line stays JSON, whatever the secret is made of.
 */
import { inspect } from "node:util";
import { escapeInvisible } from "../../bots/failures/visible-text.ts";
import { decodeLeniently } from "../percent-encoding.ts";

/** Shorter ones are left alone: whatever else looks like them would vanish from the log. */
const minHiddenLength = 8;

const replacement = "[secret]";

/** Takes and returns one line of JSON. */
export type Redact = (line: string) => string;

export function redaction(secrets: readonly string[]): Redact {
  const known = new Set(secrets.flatMap(readingsOf).filter(isLongEnough));
  const whole = new Set([...known].flatMap(spellings).filter(isLongEnough).map(asInLine));
  const inBase64 = new Set([...known].flatMap(base64Pieces).filter(isLongEnough));
  if (whole.size === 0) return (line) => line;
  const longestFirst = [...whole].sort((a, b) => b.length - a.length);
  const patterns = [
    ...longestFirst.map(asPattern),
    ...longestFirst.flatMap(cutShort),
    ...[...inBase64].map((piece) => `${asPattern(piece)}[\\w+/-]*={0,2}`),
    // Last, what is no secret and begins with a backslash, as one step of the search: of a line break,
    // \n, no secret may take the n.
    escapeInJson,
  ];
  const secretOrEscape = new RegExp(patterns.join("|"), "g");
  return (line) =>
    line.replaceAll(secretOrEscape, (found) => (isEscape.test(found) ? found : replacement));
}

/** The same for what is no line of JSON. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return JSON.parse(redaction(secrets)(escapeControls(JSON.stringify(text))));
}

const escapeInJson = String.raw`\\(?:u[\da-f]{4}|.)`;
const isEscape = new RegExp(`^(?:${escapeInJson})$`);

const isLongEnough = ({ length }: string): boolean => length >= minHiddenLength;

/** What the secret is to its readers: trimmed, without quotes, decoded, line by line if it has several. */
function readingsOf(secret: string): string[] {
  const trimmed = secret.trim();
  const whole = [secret, trimmed, withoutQuotes(trimmed), decodeLeniently(trimmed)];
  const lines = whole.flatMap((text) => text.replaceAll(String.raw`\n`, "\n").split(/[\r\n]+/));
  // The first and the last line of a key file are the same in all of them.
  return [...whole, ...lines.filter((line) => !line.startsWith("-----"))];
}

function spellings(text: string): string[] {
  const wellFormed = text.toWellFormed();
  const asComponent = encodeURIComponent(wellFormed);
  const inUrls = [
    asComponent,
    asComponent.replaceAll(/[!'()*~]/g, percentEncoded),
    encodeURI(wellFormed),
    new URLSearchParams([["", text]]).toString().slice(1),
    passwordOfUrl(text),
  ];
  const inJson = json(text);
  return [
    text,
    ...inUrls,
    ...inUrls.map((url) => url.replaceAll(/%[\dA-F]{2}/g, (hex) => hex.toLowerCase())),
    inJson,
    inJson.replaceAll("/", String.raw`\/`),
    json(inJson),
    inspect(text).slice(1, -1),
    Buffer.from(text).toString("hex"),
  ];
}

/**
 * What is the same in the base64 of every text that contains this one. Three bytes become four
 * characters, so it depends on where in three bytes the text begins; characters that it shares with its
 * neighbours are left out.
 */
function base64Pieces(text: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]);
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor((bytes.length * 8) / 6);
    const pieces = [bytes.toString("base64"), bytes.toString("base64url")];
    return pieces.map((piece) => piece.slice(first, last));
  });
}

/** The first half of a secret, at the end of a string that was cut at some length. */
function cutShort(inJson: string): string[] {
  const { length } = inJson;
  const halfLength = Math.max(minHiddenLength, Math.ceil(length / 2));
  // Between characters, never within an escape.
  const half = new RegExp(`^(?:${escapeInJson}|[^\\\\]){${halfLength}}`, "s").exec(inJson)?.[0];
  if (half === undefined) return [];
  return [`${asPattern(half)}(?:\\\\.|[^"\\\\]){0,${length}}?(?=(?:…|\\.{3})?")`];
}

function withoutQuotes(text: string): string {
  return /^(["'`]).*\1$/s.test(text) ? text.slice(1, -1) : text;
}

function percentEncoded(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

function passwordOfUrl(text: string): string {
  const url = new URL("http://user@host");
  url.password = text;
  return url.password;
}

function asPattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

/**
 * Characters that JSON does not escape, and that terminals and log readers take for line ends, or do not show.
 * @param line of JSON. @returns the same, with those escaped as well
 */
export function escapeControls(line: string): string {
  return line.endsWith("\n") ? `${escapeInvisible(line.slice(0, -1))}\n` : escapeInvisible(line);
}

function json(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function asInLine(text: string): string {
  return escapeControls(json(text));
}
