/** Payloads of tool and retriever spans, out of what LangChain passes to their callbacks. */
import {
  type BaseMessage,
  isBaseMessage,
  isToolMessage,
  type ToolMessage,
} from "@langchain/core/messages";
import type { EventOf } from "../../protocol/events.ts";
import { withoutBytes } from "./content/without-bytes.ts";
import { cutText, PayloadBudget, payloadLimits, toolContent, toPayload } from "./payload.ts";
import { unlessOdd } from "./unless-odd.ts";

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
 * The message in which a tool answered, where it was called with a call's id. A `Command` hands over to
 * another agent, with the whole conversation inside: the tool's own message in it is the tool's.
 */
export function ownMessage(output: unknown, toolCallId?: string): ToolMessage | undefined {
  if (isToolMessage(output)) return output;
  if (!isCommand(output)) return undefined;
  const messages = toolMessagesIn(output.update);
  return messages.find(({ tool_call_id: id }) => id === toolCallId) ?? messages.at(-1);
}

/** What a tool returned to its model; of one that hands over also where to. */
export function returnedBy(output: unknown, own: ToolMessage | undefined): unknown {
  const content = own && toolContent(own);
  if (!isCommand(output)) return own === undefined ? withoutBytes(output) : content;
  // Most commands go nowhere: they only write to the state, as lists of todos do.
  if (!Array.isArray(output.goto) || output.goto.length === 0) return content;
  return { goto: output.goto, ...(content !== undefined && { content }) };
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
      typeof document === "object" && document !== null
        ? (unlessOdd(() => ({ ...document })) ?? {})
        : {};
    const { id, pageContent, metadata } = fields;
    return {
      ...(typeof id === "string" && id !== "" && { id: cutText(id, payloadLimits.nameCharacters) }),
      text: budget.text(typeof pageContent === "string" ? pageContent : ""),
      metadata: budget.payload(metadata ?? {}),
    };
  });
}
