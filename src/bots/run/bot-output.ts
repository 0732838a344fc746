/**
 * What the answer of a completed run is, first that there is:
 *
 *   1. `output`     what the bot's own function makes of what the runnable returned (../bot.ts)
 *   2. `answerIn`   what is found in what the runnable returned, as below
 *   3. withheld     with `stream: false`: what the models said (../exposure/withheld-text.ts)
 *   4. `asJson`     a plain object that a chain returned, where no model spoke
 *   5. the fold     what the models said, by the run's events (../../protocol/fold/answer-fold.ts)
 *
 * run-bot.ts takes the first four; the fifth is taken where the run ends (runs/lifecycle/live-run.ts),
 * and is all there is for a run that failed or was cancelled.
 *
 * `answerIn` takes of these the first that holds:
 *
 *   the state's messages, the last first: results of `returnDirect` tools, what a model spoke, what a
 *     node wrote by itself; where no model has spoken, what one said that is tagged `nostream`
 *   LangChain's own keys: `answer`, `output`, `text`, `response`, `result`
 *   a message, a string
 *
 * Undefined where there is none, or an empty one.
 *
 * A typed bot's answer is its value (typed-output.ts): the text beside it is what was said, `spokenIn` for
 * 1 and 2, and never the value's JSON.
 */
import {
  type BaseMessage,
  type BaseMessageLike,
  coerceMessageLikeToMessage,
  isAIMessage,
  isBaseMessage,
  isToolMessage,
  type ToolMessage,
} from "@langchain/core/messages";
import { isToolsKey } from "../exposure/visible-part.ts";
import { readBlock, readContent } from "./model/message-content.ts";
import { toPayload } from "./payload.ts";
import type { SpanTree } from "./span-tree.ts";

/** In which of LangChain's chains return their answers. */
const answerKeys = ["answer", "output", "text", "response", "result"] as const;
/** How deep values inside of values are searched. */
const depthAtMost = 4;

export function answerIn(value: unknown, spans: SpanTree, depth = 0): string | undefined {
  if (typeof value === "string") return nonEmpty(spans.spokenFor(value));
  if (typeof value !== "object" || value === null || depth > depthAtMost) return undefined;
  const message = messageIn(value);
  if (message !== undefined && (message === value || isAIMessage(message))) {
    return nonEmpty(spans.spokenFor(readContent(message).text));
  }
  if (Array.isArray(value)) {
    return answerOfTurn(lastMessages(value), spans) ?? nonEmpty(textOfBlocks(value));
  }
  if ("messages" in value) {
    const messages = Array.isArray(value.messages) ? value.messages : [value.messages];
    const answer = answerOfTurn(lastMessages(messages), spans);
    if (answer !== undefined) return answer;
  }
  for (const key of answerKeys) {
    const answer = key in value ? answerIn(Reflect.get(value, key), spans, depth + 1) : undefined;
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** What a typed bot said beside its value: the value itself where it is a text, else the state's messages. */
export function spokenIn(value: unknown, spans: SpanTree): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || !("messages" in value)) return undefined;
  const { messages } = value;
  return answerOfTurn(lastMessages(Array.isArray(messages) ? messages : [messages]), spans);
}

/**
 * What a chain returned that has no text at all, as one that ends in `withStructuredOutput` does: an
 * object or a list of plain data, a number. Neither a graph's state nor documents are that, most of which
 * is not for readers.
 */
export function asJson(
  value: unknown,
  { spans, hidesTools }: { readonly spans: SpanTree; readonly hidesTools: boolean },
): string | undefined {
  const { root, models } = spans;
  if (root?.kind !== "chain" || root.agent !== undefined) return undefined;
  if (models.some(({ speaks, sentText }) => speaks && sentText)) return undefined;
  if (typeof value !== "object" || value === null || value instanceof Date) return plainText(value);
  if (!isPlainData(value)) return undefined;
  const shown = hidesTools && spans.ranTools ? withoutToolsParts(value) : value;
  return Object.keys(shown).length > 0 ? JSON.stringify(toPayload(shown)) : undefined;
}

function plainText(value: unknown): string | undefined {
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined;
}

/** What a retriever found may stand there as plain text: under the names of documents, or as a list. */
function withoutToolsParts(value: object): object {
  if (Array.isArray(value)) return [];
  return Object.fromEntries(Object.entries(value).filter(([key]) => !isToolsKey(key)));
}

/** More values than that are no answer that anybody reads. */
const plainValuesAtMost = 1_000;

function isPlainData(value: object): boolean {
  const waiting: unknown[] = [value];
  for (let seen = 0; waiting.length > 0; seen++) {
    const next = waiting.pop();
    if (seen > plainValuesAtMost) return false;
    if (typeof next !== "object" || next === null || next instanceof Date) continue;
    if (!Array.isArray(next) && !isPlainObject(next)) return false;
    waiting.push(...Object.values(next).slice(0, plainValuesAtMost));
  }
  return true;
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** More than any turn has: a list that says it has millions is not walked through. */
const messagesAtMost = 10_000;

export const lastMessages = (values: readonly unknown[]): BaseMessage[] =>
  values.slice(-messagesAtMost).flatMap((value) => messageIn(value) ?? pairIn(value) ?? []);

/** A message, also as a plain object that LangChain takes for one. */
function messageIn(value: unknown): BaseMessage | undefined {
  if (isBaseMessage(value)) return value;
  if (typeof value !== "object" || value === null) return undefined;
  const isLike = "content" in value ? "role" in value || "type" in value : "kwargs" in value;
  return isLike ? coerced(value) : undefined;
}

/** A pair of a role and a text. */
function pairIn(value: unknown): BaseMessage | undefined {
  const isPair = Array.isArray(value) && value.length === 2 && typeof value[0] === "string";
  return isPair ? coerced(value) : undefined;
}

function coerced(value: object): BaseMessage | undefined {
  try {
    return coerceMessageLikeToMessage(value as BaseMessageLike);
  } catch {
    // Data that only looks like a message.
    return undefined;
  }
}

/** Of a message's content that a chain returned without its message. */
function textOfBlocks(values: readonly unknown[]): string {
  const isBlock = (value: unknown): value is { readonly type: string } =>
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    typeof value.type === "string";
  return values.every(isBlock) ? values.map((block) => readBlock({ ...block }).text).join("") : "";
}

function answerOfTurn(messages: readonly BaseMessage[], spans: SpanTree): string | undefined {
  const direct = resultsAtTheEnd(messages, spans);
  if (direct !== undefined) return direct;
  let silent: string | undefined;
  let isEarlierTurn = false;
  for (const message of messages.toReversed()) {
    if (message.type === "human") isEarlierTurn = true;
    if (!isAIMessage(message)) continue;
    const text = readContent(message).text;
    if (text.trim() === "") continue;
    const model = spans.modelOf(message.id, text);
    if (model?.speaks) return spans.spokenFor(text);
    // What no model of this run said before the human message is of an earlier turn.
    if (isEarlierTurn) continue;
    if (model === undefined) {
      if (isWrittenForReaders(message, text)) return text;
    } else if (model.nostream && model.voice === "silent") silent ??= text;
  }
  // The tag says that its text is not for readers: it is the last resort, not a second opinion.
  return spans.lastSpeaker === undefined ? silent : undefined;
}

/**
 * Tools with `returnDirect` end an agent: the state ends with what they returned, behind the message
 * that asked for it. Where a server has one id for all its answers, LangGraph replaces the first message
 * by the last one, and the results of others stand behind it.
 */
function resultsAtTheEnd(messages: readonly BaseMessage[], spans: SpanTree): string | undefined {
  const asking = messages.findLast((message) => !isToolMessage(message));
  if (asking === undefined || !isAIMessage(asking)) return undefined;
  const asked = new Set(asking.tool_calls?.map(({ id }) => id));
  const results = messages.slice(messages.indexOf(asking) + 1).filter(isToolMessage);
  const texts = results
    .filter((result) => asked.has(result.tool_call_id) && isForReaders(result, spans))
    .map(({ text }) => text);
  return nonEmpty(texts.join("\n\n"));
}

/** Of a tool that failed, the message is its error's, for the model alone. A limit's is no tool's. */
const isForReaders = ({ status, tool_call_id: id }: ToolMessage, spans: SpanTree): boolean =>
  status !== "error" || !spans.toolRan(id);

/** By a node itself. Notes with which agents hand over to each other have tool calls of their own. */
function isWrittenForReaders(message: BaseMessage, text: string): boolean {
  const calls = isAIMessage(message) ? (message.tool_calls ?? []) : [];
  return calls.length === 0 && !text.startsWith("Returning structured response: ");
}

const nonEmpty = (text: string): string | undefined => (text.trim() === "" ? undefined : text);
