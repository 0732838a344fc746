/** Text and reasoning of a delta or a message, out of all the fields and forms in which they come. */
import { isObject, type JsonObject, read, textIn } from "../unknown-json.ts";

export interface NormalizedContent {
  readonly text: string;
  readonly reasoning: string;
  /** Where pictures are, in OpenRouter's form. */
  readonly images: readonly JsonObject[];
  /** Kinds of parts that are none of these. */
  readonly others: readonly string[];
}

/** How deep parts of content are nested, at most: a list of parts, of which one is a list. */
const partsDepth = 3;

/** What a choice says: the object that it is, or one of the text that stands in its place. */
export function saidBy(value: unknown): JsonObject | undefined {
  if (typeof value === "string") return { content: value };
  return isObject(value) ? value : undefined;
}

export function contentOf(said: JsonObject): NormalizedContent {
  const { content, refusal } = said;
  const texts: string[] = [];
  const thoughts: string[] = [];
  const images: JsonObject[] = Array.isArray(said.images) ? said.images.filter(isObject) : [];
  const others: string[] = [];
  for (const part of [content].flat(partsDepth)) {
    if (!isObject(part)) {
      texts.push(wordsOf(part) ?? "");
      continue;
    }
    const type = textIn(part, "type") ?? "text";
    if (/^(thinking|reasoning)/.test(type)) thoughts.push(textOfThought(part));
    else if (/image/.test(type)) images.push({ type: "image_url", image_url: imageOf(part) });
    else if (/text|refusal/.test(type))
      texts.push(
        ["text", "refusal", "content"].map((key) => wordsOf(part[key])).find(Boolean) ?? "",
      );
    else others.push(type);
  }
  // What a model says when it will not is what it says.
  if (typeof refusal === "string") texts.push(refusal);
  return {
    text: texts.join(""),
    reasoning: reasoningIn(said) || thoughts.join(""),
    images,
    others,
  };
}

/** Servers that make JSON of what looks like JSON write a number as one. */
function wordsOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : undefined;
}

const reasoningFields = ["reasoning_content", "reasoning", "reasoning_text", "thinking"] as const;

/** The same thoughts often stand in several fields: the first that has any counts. */
function reasoningIn(said: JsonObject): string {
  for (const field of reasoningFields) {
    const value = said[field];
    const text = typeof value === "string" ? value : textIn(value, "content", "text");
    if (text) return text;
  }
  const details = said.reasoning_details;
  return Array.isArray(details) ? details.map(textOfThought).join("") : "";
}

function textOfThought(part: unknown): string {
  const value = ["text", "summary", "thinking", "reasoning"]
    .map((key) => read(part, key))
    .find((found) => typeof found === "string" || Array.isArray(found));
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.map(textOfThought).join("") : "";
}

function imageOf(part: JsonObject): unknown {
  const { image_url: image, url } = part;
  return isObject(image) ? image : { url: image ?? url };
}

/** Names of fields that hold text or reasoning. */
export const textFields: ReadonlySet<string> = new Set([
  "content",
  "refusal",
  "reasoning_details",
  ...reasoningFields,
]);

/** Names of fields that are normalized, all of them. */
export const contentFields: ReadonlySet<string> = new Set([
  "role",
  "images",
  "tool_calls",
  ...textFields,
]);

/**
 * Messages that a server sends in a stream where OpenAI sends deltas: each with all that was said so
 * far, or each with what is new.
 */
export class GrowingMessage {
  hasBegun = false;
  #text = "";
  #reasoning = "";

  /** @returns what is new in the message, as a delta says it */
  delta(message: JsonObject): JsonObject {
    this.hasBegun = true;
    const said = contentOf(message);
    const text = newIn(said.text, this.#text);
    const reasoning = newIn(said.reasoning, this.#reasoning);
    this.#text += text;
    this.#reasoning += reasoning;
    const kept = Object.entries(message).filter(([key]) => !textFields.has(key));
    const content = [text, ...partsBesideText(message)];
    return { ...Object.fromEntries(kept), content, reasoning_content: reasoning };
  }
}

const newIn = (said: string, before: string): string =>
  said.startsWith(before) ? said.slice(before.length) : said;

function partsBesideText({ content }: JsonObject): JsonObject[] {
  const parts = Array.isArray(content) ? content.filter(isObject) : [];
  return parts.filter(
    (part) => !/text|refusal|thinking|reasoning/.test(textIn(part, "type") ?? "text"),
  );
}
