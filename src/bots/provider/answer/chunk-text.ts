/** Chunks of an answer that say nothing but text: nearly all of them, and all alike but for the text. */
import type { OpenAIClient } from "@langchain/openai";

export type Chunk = OpenAIClient.Chat.Completions.ChatCompletionChunk;

const choiceFields: ReadonlySet<string> = new Set(["index", "delta", "finish_reason", "logprobs"]);
const deltaFields: ReadonlySet<string> = new Set(["role", "content"]);

/** The text, when a chunk says nothing else that joining it with others would lose. */
export function textOf(chunk: Chunk): string | undefined {
  const choices: unknown = chunk?.choices;
  if (!Array.isArray(choices) || choices.length !== 1 || chunk.usage) return undefined;
  const [choice] = chunk.choices;
  if (!choice) return undefined;
  const { index, delta, finish_reason, logprobs } = choice;
  if (index !== 0 || finish_reason || logprobs) return undefined;
  if (typeof delta?.content !== "string") return undefined;
  if (!hasOnly(choice, choiceFields) || !hasOnly(delta, deltaFields)) return undefined;
  return delta.content;
}

/** A chunk of text as one with another text. */
export function joinText(chunk: Chunk, content: string): Chunk {
  const [choice] = chunk.choices;
  if (choice === undefined) throw new TypeError("a chunk of text has a choice");
  return { ...chunk, choices: [{ ...choice, delta: { ...choice.delta, content } }] };
}

function hasOnly(value: object, fields: ReadonlySet<string>): boolean {
  for (const field in value) if (!fields.has(field)) return false;
  return true;
}

const contentKey = /"content":\s*"/g;
const needsParsing = /["\\\p{Cc}]/u;
/** Events in a row that were like none before, after which none is expected to be. */
const maxMisses = 8;

/**
 * Reads an event that is like the last one in all but its text without parsing the rest: the bytes
 * before the text and behind it are the same, and what is between them is one string's inside.
 */
export class TextChunk {
  #like: { readonly before: Buffer; readonly behind: Buffer; readonly chunk: Chunk } | undefined;
  #misses = 0;

  /** The chunk that events are compared with. @throws TypeError before one was learned */
  get like(): Chunk {
    if (this.#like === undefined) throw new TypeError("no chunk of text has been learned");
    return this.#like.chunk;
  }

  /** The event's text, where the rest of it is `like`; undefined where it has to be parsed. */
  read(event: Buffer): string | undefined {
    const like = this.#like;
    if (like === undefined) return undefined;
    const { before, behind } = like;
    const end = event.length - behind.length;
    if (end < before.length) return undefined;
    if (event.compare(before, 0, before.length, 0, before.length) !== 0) return undefined;
    if (event.compare(behind, 0, behind.length, end) !== 0) return undefined;
    const text = unquoted(event.toString("utf8", before.length, end));
    if (text === undefined) return undefined;
    this.#misses = 0;
    return text;
  }

  /** Takes an event that was parsed as the one that those after it may be like. */
  learn(event: Buffer, chunk: Chunk): void {
    if (this.#misses > maxMisses) return;
    const text = textOf(chunk);
    if (text === undefined || needsParsing.test(text)) return;
    this.#misses += 1;
    this.#like = undefined;
    const decoded = event.toString();
    // Where the key stands once, it is the delta's: a string that quotes it would escape the quotes.
    const keys = [...decoded.matchAll(contentKey)];
    const [key] = keys;
    if (key === undefined || keys.length > 1) return;
    const start = key.index + key[0].length;
    if (!decoded.startsWith(`${text}"`, start)) return;
    const before = Buffer.from(decoded.slice(0, start));
    const behind = Buffer.from(decoded.slice(start + text.length));
    // Bytes that are no text at all would not come back from it.
    const same = Buffer.concat([before, Buffer.from(text), behind]).equals(event);
    if (same) this.#like = { before, behind, chunk };
  }
}

/** What stands between a string's quotes; undefined where it is not the inside of one string. */
function unquoted(inside: string): string | undefined {
  if (!needsParsing.test(inside)) return inside;
  try {
    return JSON.parse(`"${inside}"`) as string;
  } catch {
    return undefined;
  }
}
