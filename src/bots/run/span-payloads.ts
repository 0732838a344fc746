/** Payloads of tool and retriever spans, out of what LangChain passes to their callbacks. */
import {
  type BaseMessage,
  isBaseMessage,
  isToolMessage,
  type ToolMessage,
} from "@langchain/core/messages";
import type { EventOf } from "../../protocol/events.ts";
import {
  artifactOf,
  cutText,
  PayloadBudget,
  payloadLimits,
  toolContent,
  toPayload,
} from "./payload.ts";

/** Tools with several arguments get them as JSON text. */
export function argumentsOf(input: string): unknown {
  if (!/^\s*[{[]/.test(input)) return input;
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}

/**
 * What a tool returned. Tools that were called with an id answer in a message: the content, with its
 * artifact where it has one as `{ content, artifact }`. A `Command` hands over to another agent, with
 * the whole conversation inside: where to, and the tool's own message in it, are the tool's.
 */
export function returnedBy(output: unknown, toolCallId?: string): unknown {
  if (isCommand(output)) {
    const messages = toolMessagesIn(output.update);
    const own = messages.find(({ tool_call_id: id }) => id === toolCallId) ?? messages.at(-1);
    const returned = own && returnedBy(own);
    // Most commands go nowhere: they only write to the state, as lists of todos do.
    if (!Array.isArray(output.goto) || output.goto.length === 0) return returned;
    return { goto: output.goto, ...(returned !== undefined && { content: returned }) };
  }
  if (!isToolMessage(output)) return output;
  const artifact = artifactOf(output);
  const content = toolContent(output);
  return "artifact" in artifact ? { content, ...artifact } : content;
}

interface CommandLike {
  readonly goto?: unknown;
  readonly update?: unknown;
}

function isCommand(value: unknown): value is CommandLike {
  return (
    typeof value === "object" && value !== null && "lg_name" in value && value.lg_name === "Command"
  );
}

/** How deep messages are searched inside of values. */
const depthAtMost = 4;

export const toolMessagesIn = (value: unknown): ToolMessage[] =>
  messagesIn(value).filter((message) => isToolMessage(message));

/** In what a node returned to its graph: messages, a state that has them, commands that do. */
export function messagesIn(value: unknown, depth = 0): BaseMessage[] {
  if (typeof value !== "object" || value === null || depth > depthAtMost) return [];
  if (isBaseMessage(value)) return [value];
  if (Array.isArray(value)) return value.flatMap((item) => messagesIn(item, depth + 1));
  // The call that gave a structured answer is no tool's.
  if ("structuredResponse" in value) return [];
  const { messages, output, update } = value as Readonly<Record<string, unknown>>;
  return [messages, output, update].flatMap((part) => messagesIn(part, depth + 1));
}

/** A retriever's query as text, whatever it was called with. */
export function queryOf(query: unknown): string {
  return typeof query === "string" ? query : JSON.stringify(toPayload(query));
}

export function documentsOf(documents: unknown): EventOf<"retrieverEnd">["documents"] {
  if (!Array.isArray(documents)) return [];
  const budget = new PayloadBudget();
  return documents.slice(0, payloadLimits.items).map((document: unknown) => {
    const fields: Record<string, unknown> =
      typeof document === "object" && document !== null ? { ...document } : {};
    const { id, pageContent, metadata } = fields;
    return {
      ...(typeof id === "string" && id !== "" && { id: cutText(id, payloadLimits.nameCharacters) }),
      text: budget.text(typeof pageContent === "string" ? pageContent : ""),
      metadata: budget.payload(metadata ?? {}),
    };
  });
}
