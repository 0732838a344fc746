import type { Message } from "../types.ts";
import type { LangwireUIMessage } from "./ui-chunks.ts";

/** A conversation's history, as `useChat`'s `messages` option takes it. */
export function toUIMessages(messages: readonly Message[]): LangwireUIMessage[] {
  return messages.map(({ runId, role, text, status, usage }) => ({
    id: role === "ai" ? runId : `${runId}/human`,
    role: role === "ai" ? "assistant" : "user",
    metadata: role === "ai" ? { runId, status, usage } : { runId },
    parts: [{ type: "text", text }],
  }));
}
