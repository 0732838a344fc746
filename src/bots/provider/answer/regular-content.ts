/** Text and reasoning of a delta or a message, out of all the fields and forms in which they come. */
import { isObject, type JsonObject, read, textIn } from "../unknown-json.ts";

export interface RegularContent {
  readonly text: string;
  readonly reasoning: string;
  /** Where pictures are, in OpenRouter's form. */
  readonly images: readonly JsonObject[];
  /** Kinds of parts that are none of these. */
  readonly others: readonly string[];
}

export function contentOf(said: JsonObject): RegularContent {
  const { content, refusal } = said;
  const texts: string[] = [];
  const thoughts: string[] = [];
  const images: JsonObject[] = Array.isArray(said.images) ? said.images.filter(isObject) : [];
  const others: string[] = [];
  for (const part of Array.isArray(content) ? content : [content]) {
    if (typeof part === "string") texts.push(part);
    if (!isObject(part)) continue;
    const type = textIn(part, "type") ?? "text";
    if (/^(thinking|reasoning)/.test(type)) thoughts.push(textOfThought(part));
    else if (/image/.test(type)) images.push({ type: "image_url", image_url: imageOf(part) });
    else if (/text|refusal/.test(type))
      texts.push(textIn(part, "text", "refusal", "content") ?? "");
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

/** Names of fields that become `content` and `reasoning_content`. */
export const contentFields: ReadonlySet<string> = new Set([
  "role",
  "content",
  "refusal",
  "images",
  "reasoning_details",
  "tool_calls",
  ...reasoningFields,
]);
