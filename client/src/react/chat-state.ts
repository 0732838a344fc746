/** What a user interface shows of a conversation. */
import type { AnyBot, BotTypes, GivenTo, IsAny, Partially, RunEndOf, With } from "../bot-types.ts";
import { LangwireClientError } from "../errors.ts";
import { thrownIn } from "../thrown.ts";
import type { SendOptions } from "./chat-options.ts";
import type { AiMessage, ChatMessage, HumanMessage } from "./turn.ts";

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

/** A message of a chat with one bot of a typed client. */
export type ChatMessageOf<T extends BotTypes> = IsAny<T> extends true ? ChatMessage : Known<T>;

type Known<T extends BotTypes> =
  | With<HumanMessage, { readonly input?: T["input"] | undefined }>
  | With<AiMessage, AnswerOf<T> & { readonly state: Partial<T["state"]> }>;

/** Checked once the run has completed; before that as far as it is made. */
type AnswerOf<T extends BotTypes> =
  | { readonly status: "completed"; readonly output?: T["output"] | undefined }
  | {
      readonly status: Exclude<AiMessage["status"], "completed">;
      readonly output?: Partially<T["output"]> | undefined;
    };

/** @typeParam T the bot's types. Default: of any bot */
export interface UseChat<T extends BotTypes = AnyBot> extends Omit<ChatState, "messages"> {
  readonly messages: readonly ChatMessageOf<T>[];
  /** Of a new conversation it is empty where a server renders, and until the browser has taken over. */
  readonly conversationId: string;
  /**
   * Sends a message, or a typed bot's input; it is shown at once.
   * @returns how its run ended. Rejects when it was refused; `error` says so, too, so nobody has to
   * wait for it
   */
  readonly send: (given: GivenTo<T>, options?: SendOptions) => Promise<RunEndOf<T>>;
  /** Stops the run in progress, for everybody. */
  readonly stop: () => Promise<void>;
  /** Sends what was sent last once more, as a new run. */
  readonly regenerate: () => Promise<RunEndOf<T>> | undefined;
  readonly loadEarlier: () => Promise<void>;
  /**
   * Loads what happened inside a run that was over before the chat was opened: its answer's `spans`.
   * Twice is once. Rejects with a LangwireClientError where they cannot be read.
   */
  readonly loadTrace: (runId: string) => Promise<void>;
}

/** What may go wrong beside a message: each is shown until it has passed. */
export type Work = "watch" | "history" | "earlier" | "stop";

/** What became of a message, where that is an error. */
export function errorOf(message: ChatMessage | undefined): LangwireClientError | undefined {
  if (message?.error === undefined) return undefined;
  return new LangwireClientError({ ...message.error, cause: thrownIn(message.runId) });
}
