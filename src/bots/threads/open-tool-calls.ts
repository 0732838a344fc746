/** Tool calls of a thread that have no result. Providers refuse a conversation that holds one. */
import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  isBaseMessage,
  isToolMessage,
  ToolMessage,
} from "@langchain/core/messages";

interface Call {
  readonly id: string;
  readonly name: string;
}

/** The messages with a result for each open call, where providers expect it: after those it has. */
export function withResults(messages: readonly BaseMessage[]): BaseMessage[] {
  const whole: BaseMessage[] = [];
  let open: Call[] = [];
  messages.forEach((message, at) => {
    if (!isToolMessage(message)) {
      whole.push(...open.map(notRun));
      const results = resultsAfter(messages, at);
      open = callsOf(message).filter(({ id }) => !results.has(id));
    }
    whole.push(message);
  });
  return [...whole, ...open.map(notRun)];
}

/** Up to the model's next message: some providers number the calls of each message anew. */
function resultsAfter(messages: readonly BaseMessage[], at: number): Set<string> {
  const results = new Set<string>();
  for (let next = at + 1; next < messages.length; next++) {
    const message = messages[next];
    if (message === undefined || message.type === "ai") break;
    if (isToolMessage(message)) results.add(message.tool_call_id);
  }
  return results;
}

/** The channels of a state that hold messages, by name. */
export function messagesIn(values: unknown): Map<string, BaseMessage[]> {
  const found = new Map<string, BaseMessage[]>();
  if (typeof values !== "object" || values === null) return found;
  for (const [channel, value] of Object.entries(values)) {
    if (Array.isArray(value) && value.length > 0 && value.every(isBaseMessage)) {
      found.set(channel, value);
    }
  }
  return found;
}

function notRun({ id, name }: Call): ToolMessage {
  return new ToolMessage({
    tool_call_id: id,
    name,
    status: "error",
    content: `The call of the tool ${name} did not run to its end: the run was stopped before it had a result. It may have had effects.`,
  });
}

function callsOf(message: BaseMessage): Call[] {
  if (!AIMessage.isInstance(message) && !AIMessageChunk.isInstance(message)) return [];
  const calls: unknown[] = [...(message.tool_calls ?? [])];
  // Calls whose arguments could not be read: they are sent to the provider again as they came.
  const { tool_calls: asSent } = message.additional_kwargs;
  if (calls.length === 0 && Array.isArray(asSent)) calls.push(...asSent);
  return calls.flatMap((call) => {
    if (typeof call !== "object" || call === null || !("id" in call)) return [];
    if (typeof call.id !== "string") return [];
    const name = "name" in call && typeof call.name === "string" ? call.name : "unknown";
    return [{ id: call.id, name }];
  });
}
