/** Reads what a model hands to its callbacks at its end. */
import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  isBaseMessage,
} from "@langchain/core/messages";
import type { InvalidToolCall, ToolCall } from "@langchain/core/messages/tool";
import type { LLMResult } from "@langchain/core/outputs";
import type { Usage } from "../../../protocol/events.ts";
import { usageOfResult } from "../../provider/provider-usage.ts";
import { messageFinishReason } from "./finish-reasons.ts";
import { isRefusal, readContent } from "./message-content.ts";

export interface ModelResult {
  /** Chat models' results have one. */
  readonly message: BaseMessage | undefined;
  /** What the package keeps beside the message. */
  readonly info: Readonly<Record<string, unknown>> | undefined;
  readonly text: string;
  readonly reasoning: string;
  readonly usage: Usage | undefined;
  readonly finishReason: string | undefined;
  readonly toolCalls: readonly Pick<ToolCall, "id" | "name" | "args">[];
  /** Their arguments are no JSON: nothing can run them. */
  readonly invalidToolCalls: readonly Pick<InvalidToolCall, "id" | "name" | "args">[];
}

/** The first candidate: the others of a call with `n > 1` are not on the wire. */
export function readResult(result: LLMResult): ModelResult {
  const generation = result.generations[0]?.[0];
  const message = messageOf(generation);
  const said = message === undefined ? undefined : readContent(message);
  const reason = messageFinishReason(message, generation?.generationInfo);
  return {
    message,
    info: generation?.generationInfo,
    text: said?.text ?? generation?.text ?? "",
    reasoning: said?.reasoning ?? "",
    usage: usageOfResult(message, result.llmOutput),
    // OpenAI's protocol gives a refusal a field of its own, and "stop" for its reason.
    finishReason: message !== undefined && isRefusal(message) ? "refusal" : reason,
    toolCalls: isAi(message) ? (message.tool_calls ?? []) : [],
    invalidToolCalls: isAi(message) ? (message.invalid_tool_calls ?? []) : [],
  };
}

const isAi = (message: BaseMessage | undefined): message is AIMessage | AIMessageChunk =>
  message !== undefined && (AIMessage.isInstance(message) || AIMessageChunk.isInstance(message));

/** Chat models' generations have a message; plain LLMs' have none. */
function messageOf(generation: unknown): BaseMessage | undefined {
  if (typeof generation !== "object" || generation === null) return undefined;
  const message: unknown = Reflect.get(generation, "message");
  return isBaseMessage(message) ? message : undefined;
}
