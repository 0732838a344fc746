/**
 * Reads what a model's message says. LangChain's packages put the same things into messages in
 * different ways: a string, arrays of blocks in the provider's or in LangChain's own shape, fields of
 * `additional_kwargs`. Here they are text, reasoning, and what is neither.
 */
import type { AIMessageChunk, BaseMessage } from "@langchain/core/messages";

export interface MessageContent {
  readonly text: string;
  readonly reasoning: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** A chunk or a whole message; the parts of an array in their order, joined. */
export function readContent(message: BaseMessage | AIMessageChunk): MessageContent {
  const said = { text: "", reasoning: "" };
  const { content } = message;
  if (typeof content === "string") said.text = content;
  else for (const block of blocksOf(content)) addBlock(said, block);
  const extra: Fields = message.additional_kwargs ?? {};
  // A model that refuses, or that speaks aloud, has no other text.
  if (said.text === "") said.text = textIn(extra, "refusal") || transcriptOf(extra.audio);
  if (said.reasoning === "") said.reasoning = reasoningIn(extra);
  return said;
}

/** A whole message in which the model said nothing but that it refuses. */
export function isRefusal(message: BaseMessage): boolean {
  const { content } = message;
  const blocks = blocksOf(content);
  const isRefused = (block: unknown): boolean => isFields(block) && block.type === "refusal";
  if (content === "" || blocks.length === 0) {
    return textIn(message.additional_kwargs ?? {}, "refusal") !== "";
  }
  return blocks.some(isRefused);
}

/** Types say that content is a text or a list of blocks; models written by hand know no types. */
function blocksOf(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) return content;
  return content === undefined || content === null ? [] : [content];
}

/** One block of an array. */
export function readBlock(block: Fields): MessageContent {
  const said = { text: "", reasoning: "" };
  addBlock(said, block);
  return said;
}

function addBlock(said: { text: string; reasoning: string }, block: unknown): void {
  if (typeof block === "string" || typeof block === "number") said.text += String(block);
  if (!isFields(block)) return;
  switch (block.type) {
    case "text":
    case "text_delta":
    case "output_text":
      said.text += textIn(block, "text");
      break;
    case "refusal":
      said.text += textIn(block, "refusal");
      break;
    case "thinking":
    case "thinking_delta":
    case "reasoning":
    case "reasoning_content":
      said.reasoning += reasoningOfBlock(block);
  }
}

function reasoningOfBlock(block: Fields): string {
  return (
    joined(block.reasoning) ||
    joined(block.thinking) ||
    joined(block.reasoningText) ||
    joined(block.summary) ||
    textIn(block, "text")
  );
}

/** OpenAI's protocol has no field for it: compatible servers have made three, and fill several. */
function reasoningIn(extra: Fields): string {
  const { reasoning_content: content, reasoning, reasoning_details: details } = extra;
  if (content === undefined && reasoning === undefined && details === undefined) return "";
  return [content, reasoning, details].map(joined).reduce(longer);
}

const longer = (a: string, b: string): string => (b.length > a.length ? b : a);

/** A text; or the texts of a list of parts, or of an object that holds one: `{ text }`, `{ summary }`. */
function joined(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(joined).join("");
  if (typeof value !== "object" || value === null) return "";
  const fields = value as Fields;
  return textIn(fields, "text") || joined(fields.summary);
}

const transcriptOf = (audio: unknown): string =>
  typeof audio === "object" && audio !== null ? textIn(audio as Fields, "transcript") : "";

function textIn(fields: Fields, key: string): string {
  const value = fields[key];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
