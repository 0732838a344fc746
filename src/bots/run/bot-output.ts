/** Finds the answer's text in what a runnable returned, or in a message. */
import { type BaseMessage, isBaseMessage } from "@langchain/core/messages";

/**
 * The text of a string, of a message, of the last AI message of `{ messages }`, or of what
 * `{ output }` holds. Undefined when the value is none of these: the tokens then are the answer.
 */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return undefined;
  if (isBaseMessage(value)) return value.text;
  if ("messages" in value && Array.isArray(value.messages)) {
    return lastAnswer(value.messages)?.text;
  }
  return "output" in value ? textOf(value.output) : undefined;
}

/** The last AI message, unless somebody spoke after it: then it belongs to an earlier turn. */
function lastAnswer(messages: readonly unknown[]): BaseMessage | undefined {
  for (const message of messages.toReversed()) {
    if (!isBaseMessage(message)) continue;
    if (message.type === "ai") return message;
    if (message.type === "human") return undefined;
  }
  return undefined;
}
