/** Reads what a model hands to its callbacks: the whole result at its end, a chunk on the way. */
import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  isBaseMessage,
} from "@langchain/core/messages";
import type { ToolCall } from "@langchain/core/messages/tool";
import type { ChatGenerationChunk, GenerationChunk, LLMResult } from "@langchain/core/outputs";
import type { Usage } from "../../protocol/events.ts";
import { usageOfMetadata, usageOfResult } from "../provider/provider-usage.ts";

export interface ModelResult {
  readonly text: string;
  readonly usage: Usage | undefined;
  readonly finishReason: string | undefined;
  readonly toolCalls: readonly Pick<ToolCall, "id" | "name" | "args">[];
}

/** The first candidate: the others of a call with `n > 1` are not on the wire. */
export function readResult(result: LLMResult): ModelResult {
  const generation = result.generations[0]?.[0];
  const message = messageOf(generation);
  const metadata: Readonly<Record<string, unknown>> | undefined = message?.response_metadata;
  const info = generation?.generationInfo;
  return {
    text: message?.text ?? generation?.text ?? "",
    usage: usageOfResult(message, result.llmOutput),
    finishReason:
      text(info?.finish_reason) ??
      text(metadata?.finish_reason) ??
      text(metadata?.stop_reason) ??
      text(metadata?.finishReason) ??
      text(metadata?.done_reason) ??
      text(metadata?.status),
    toolCalls: toolCallsOf(message),
  };
}

/** What a chunk without text may hold all the same. */
export function readQuietChunk(chunk: GenerationChunk | ChatGenerationChunk | undefined): {
  readonly reasoning: string;
  readonly usage: Usage | undefined;
} {
  const message = messageOf(chunk);
  if (message === undefined) return { reasoning: "", usage: undefined };
  const usage = AIMessageChunk.isInstance(message)
    ? usageOfMetadata(message.usage_metadata)
    : undefined;
  return { reasoning: reasoningOf(message), usage };
}

function reasoningOf(message: BaseMessage): string {
  const { reasoning_content: plain, reasoning } = message.additional_kwargs;
  if (typeof plain === "string") return plain;
  if (typeof message.content === "string" && reasoning === undefined) return "";
  return message.contentBlocks
    .map((block) => (block.type === "reasoning" ? (text(block.reasoning) ?? "") : ""))
    .join("");
}

function toolCallsOf(message: BaseMessage | undefined): ModelResult["toolCalls"] {
  return message !== undefined &&
    (AIMessage.isInstance(message) || AIMessageChunk.isInstance(message))
    ? (message.tool_calls ?? [])
    : [];
}

/** Chat models' generations have a message; plain LLMs' have none. */
function messageOf(generation: unknown): BaseMessage | undefined {
  if (typeof generation !== "object" || generation === null) return undefined;
  const message: unknown = Reflect.get(generation, "message");
  return isBaseMessage(message) ? message : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
