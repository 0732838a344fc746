/** A chat on a conversation, and ways to look at it. */
import { onTestFinished } from "vitest";
import type { LangwireClient, Message } from "../../client/src/index.ts";
import { Chat, type ChatState } from "../../client/src/react/index.ts";

export interface Open {
  readonly botId?: string;
  readonly conversationId?: string;
  readonly initialMessages?: readonly Message[];
}

export function open(client: LangwireClient, options: Open = {}) {
  const { botId = "chat", conversationId = crypto.randomUUID(), initialMessages } = options;
  const chat = new Chat({ client: () => client, botId, conversationId, initialMessages });
  const states: ChatState[] = [];
  const close = chat.subscribe(() => void states.push(chat.getState()));
  onTestFinished(close);
  return { chat, states, close };
}

/** Settles once the chat's state is as described. */
export function until(chat: Chat, what: (state: ChatState) => boolean): Promise<ChatState> {
  const { promise, resolve } = Promise.withResolvers<ChatState>();
  const look = () => {
    if (what(chat.getState())) resolve(chat.getState());
  };
  const stop = chat.subscribe(look);
  look();
  return promise.finally(stop);
}

export const isReady = ({ status }: ChatState) => status === "ready";
export const texts = ({ messages }: ChatState) =>
  messages.map(({ role, text }) => `${role}: ${text}`);
