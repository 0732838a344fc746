/**
 * Messages of one run as they are stored: LangChain's own form, of the text, the calls and their results.
 * What else a provider's package keeps in a message (reasoning, signatures, usage, images) is left out, so
 * that any model can be given them, and bounded: a long text is cut, with a mark, before steps are left out.
 */
import {
  type BaseMessage,
  isAIMessage,
  isToolMessage,
  mapStoredMessagesToChatMessages,
  type StoredMessage,
} from "@langchain/core/messages";
import type { Json } from "../../protocol/events.ts";
import { readContent } from "../run/model/message-content.ts";
import { cutText, toPayload } from "../run/payload.ts";

/** Characters of the JSON of one run's messages. */
export const exchangeCharacters = 256 * 1024;
/** Characters of one text or argument: the first at which all fits. */
export const textCharacters = [64_000, 16_000, 4_000, 1_000] as const;
const leastCharacters = Math.min(...textCharacters);
/** Characters of a tool's result. */
export const resultCharacters = textCharacters[0];

/**
 * Each message is looked at a few times at most, whatever their number: a run may have thousands.
 * @returns JSON; undefined where no tool was asked for anything
 */
export function storedExchange(messages: readonly BaseMessage[]): string | undefined {
  const kept = newestSteps(messages);
  if (!kept.some(isToolMessage)) return undefined;
  for (const characters of textCharacters) {
    const all = newestThatFit(kept, characters);
    if (all.length === kept.length) return `[${all.join(",")}]`;
  }
  return undefined;
}

/** All messages; where they do not fit however short their texts, those from a model's later call on. */
function newestSteps(messages: readonly BaseMessage[]): readonly BaseMessage[] {
  const fitting = newestThatFit(messages, leastCharacters).length;
  const from = messages.length - fitting;
  if (from === 0) return messages;
  const first = messages.findIndex((message, at) => at >= from && asks(message));
  return first < 0 ? [] : messages.slice(first);
}

/** The JSON of each of the last messages that fit together. */
function newestThatFit(messages: readonly BaseMessage[], characters: number): string[] {
  const fitting: string[] = [];
  let left = exchangeCharacters - "[".length;
  for (const message of messages.toReversed()) {
    const json = JSON.stringify(stored(message, characters));
    left -= json.length + ",".length;
    if (left < 0) break;
    fitting.push(json);
  }
  return fitting.toReversed();
}

/** @returns undefined where it is not what `storedExchange` made */
export function readExchange(json: string): BaseMessage[] | undefined {
  try {
    return mapStoredMessagesToChatMessages(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** A tool's result as text; what is none is named. */
export function resultText({ content }: BaseMessage): string {
  if (typeof content === "string") return cutText(content, resultCharacters);
  const texts = content.map((block) => {
    if (typeof block === "string") return block;
    return typeof block.text === "string" ? block.text : `[${block.type}]`;
  });
  return cutText(texts.join("\n"), resultCharacters);
}

function stored(message: BaseMessage, characters: number): StoredMessage {
  const { type, name } = message;
  const content = isToolMessage(message) ? resultText(message) : readContent(message).text;
  return {
    type,
    data: {
      content: cutText(content, characters),
      role: undefined,
      name,
      tool_call_id: isToolMessage(message) ? message.tool_call_id : undefined,
      ...(isToolMessage(message) && message.status && { status: message.status }),
      ...(isAIMessage(message) && { tool_calls: callsOf(message.tool_calls, characters) }),
    },
  };
}

function callsOf(
  calls: readonly { id?: string; name: string; args: unknown }[] = [],
  characters: number,
) {
  return calls.map(({ id, name, args }) => {
    return { id, name, args: storedArguments(args, characters), type: "tool_call" };
  });
}

/** A call's arguments as they are stored. */
export function storedArguments(args: unknown, characters: number): Json {
  const limits = { depth: 32, items: 10_000, characters, totalCharacters: exchangeCharacters };
  return toPayload(args, limits);
}

const asks = (message: BaseMessage): boolean =>
  isAIMessage(message) && (message.tool_calls ?? []).length > 0;
