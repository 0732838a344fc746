/** `langwire-client/react`: conversations in React. */

export type {
  BotState,
  Span,
  SpanKind,
  SpanNote,
  SpanStatus,
  SpanText,
} from "../../generated/fold/run-fold.js";
export { Chat } from "./chat.ts";
export type { ChatOptions, SendOptions } from "./chat-options.ts";
export type { ChatMessageOf, ChatState, ChatStatus, UseChat } from "./chat-state.ts";
export type { AiMessage, ChatError, ChatMessage, HumanMessage } from "./turn.ts";
export { type UseChatOptions, useChat } from "./use-chat.ts";
export { type UseConnection, useConnection } from "./use-connection.ts";
