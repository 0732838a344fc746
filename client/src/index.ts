export type {
  AnyBot,
  AnyBots,
  BotId,
  Bots,
  BotTypes,
  ChatEventOf,
  Partially,
  RunEndOf,
  TypesOf,
  TypesOfBot,
} from "./bot-types.ts";
export { type ClientOptions, createClient, type LangwireClient } from "./client.ts";
export type { BackoffOptions } from "./connection/backoff.ts";
export type { ConnectionState, ConnectionStatus } from "./connection/connection.ts";
export { type ClientErrorCode, LangwireClientError } from "./errors.ts";
export type { FollowedRun, Run } from "./run.ts";
export type {
  AppRouter,
  BotInfo,
  CallOptions,
  ChatEvent,
  Conversation,
  ErrorCode,
  EventOf,
  EventType,
  Failure,
  FollowInput,
  Json,
  Message,
  Part,
  PartOf,
  RunStatus,
  SendInput,
  Usage,
  WatchInput,
} from "./types.ts";
export type { Watch } from "./watch.ts";
