/** What a user interface shows of a conversation. */
import type { LangwireClientError } from "../errors.ts";
import type { ChatMessage } from "./turn.ts";

/**
 * - `loading`: the history is on its way;
 * - `ready`: a message can be sent;
 * - `submitted`: a message is on its way to the server;
 * - `streaming`: the bot works on an answer, whoever asked.
 */
export type ChatStatus = "loading" | "ready" | "submitted" | "streaming";

export interface ChatState {
  readonly messages: readonly ChatMessage[];
  readonly status: ChatStatus;
  /** Why the conversation cannot be read, or what became of the last message. */
  readonly error: LangwireClientError | undefined;
  /** Whether there are messages before the first one. */
  readonly hasEarlier: boolean;
}
