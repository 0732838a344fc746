/** Reads what a model hands to its callbacks at its end. */
import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  isBaseMessage,
} from "@langchain/core/messages";
import type { LLMResult } from "@langchain/core/outputs";
import type { Usage } from "../../../protocol/events.ts";
import { usageOfResult } from "../../provider/provider-usage.ts";
import { isObject } from "../../provider/unknown-json.ts";
import { unlessOdd } from "../unless-odd.ts";
import { messageFinishReason } from "./finish-reasons.ts";
import { isRefusal, readContent } from "./message-content.ts";

export interface ModelResult {
  /** Chat models' results have one. */
  readonly message: BaseMessage | undefined;
  readonly messageId: string | undefined;
  /** What the package keeps beside the message. */
  readonly info: Readonly<Record<string, unknown>> | undefined;
  readonly text: string;
  readonly reasoning: string;
  readonly usage: Usage | undefined;
  readonly finishReason: string | undefined;
  readonly toolCalls: readonly AskedCall[];
  /** Their arguments are no JSON: nothing can run them. */
  readonly invalidToolCalls: readonly AskedCall[];
}

/** A tool call that a model asked for. */
export interface AskedCall {
  readonly id: string | undefined;
  readonly name: string;
  readonly args: unknown;
}

/**
 * The first candidate: the others of a call with `n > 1` are not on the wire. What throws when it is read is as if it
 * were not there, and costs nothing else of the message.
 */
export function readResult(result: LLMResult): ModelResult {
  const generation = result.generations[0]?.[0];
  const message = messageOf(generation);
  const said = message && unlessOdd(() => readContent(message));
  return {
    message,
    messageId: unlessOdd(() => message?.id),
    info: generation?.generationInfo,
    text: said?.text ?? generation?.text ?? "",
    reasoning: said?.reasoning ?? "",
    usage: unlessOdd(() => usageOfResult(message, result.llmOutput)),
    finishReason: unlessOdd(() => {
      // OpenAI's protocol gives a refusal a field of its own, and "stop" for its reason.
      if (message !== undefined && isRefusal(message)) return "refusal";
      return messageFinishReason(message, generation?.generationInfo);
    }),
    toolCalls: unlessOdd(() => (isAi(message) ? callsOf(message.tool_calls) : [])) ?? [],
    invalidToolCalls:
      unlessOdd(() => (isAi(message) ? callsOf(message.invalid_tool_calls) : [])) ?? [],
  };
}

/** Of whatever a message has for its calls. */
function callsOf(given: unknown): AskedCall[] {
  if (!Array.isArray(given)) return [];
  return given.filter(isObject).map(({ id, name, args }) => ({
    id: typeof id === "string" || typeof id === "number" ? String(id) : undefined,
    name: typeof name === "string" && name !== "" ? name : "tool",
    args,
  }));
}

const isAi = (message: BaseMessage | undefined): message is AIMessage | AIMessageChunk =>
  message !== undefined && (AIMessage.isInstance(message) || AIMessageChunk.isInstance(message));

/** Chat models' generations have a message; plain LLMs' have none. */
function messageOf(generation: unknown): BaseMessage | undefined {
  if (typeof generation !== "object" || generation === null) return undefined;
  const message = unlessOdd((): unknown => Reflect.get(generation, "message"));
  return unlessOdd(() => isBaseMessage(message)) && message ? (message as BaseMessage) : undefined;
}
