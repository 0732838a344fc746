/** Parts of messages that nobody reads on. */
import type { UIMessage } from "ai";
import { unfinished } from "./blocks.ts";

/**
 * Closes the parts that are open: tools that are at work end as errors, and texts as they are. For
 * `setMessages` after the AI SDK's own `stop`: it takes nothing more from a transport, which could
 * close them. A chat that is resumed has them anew.
 */
export function closeOpenParts<Message extends UIMessage>(messages: readonly Message[]): Message[] {
  return messages.map((message) => {
    const parts = message.parts.map(closed);
    const isSame = parts.every((part, index) => part === message.parts[index]);
    return isSame ? message : { ...message, parts };
  });
}

type Part = UIMessage["parts"][number];

function closed(part: Part): Part {
  if (part.type === "text" || part.type === "reasoning") {
    return part.state === "streaming" ? { ...part, state: "done" } : part;
  }
  if (!("toolCallId" in part)) return part;
  const { state } = part;
  const isOpen =
    state === "input-streaming" ||
    state === "input-available" ||
    (state === "output-available" && part.preliminary === true);
  if (!isOpen) return part;
  const { input, toolCallId, type, providerExecuted } = part;
  const call = { input: input ?? {}, toolCallId, ...(providerExecuted && { providerExecuted }) };
  const failed = { ...call, state: "output-error", errorText: unfinished } as const;
  return type === "dynamic-tool"
    ? { ...failed, type, toolName: part.toolName }
    : { ...failed, type };
}
