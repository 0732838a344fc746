/// <reference lib="esnext.disposable" preserve="true" />
/** Names for the inputs and outputs of the server's router. */
import type { inferRouterInputs } from "@trpc/server";
import type { AppRouter } from "../generated/router.d.ts";

export type {
  AppRouter,
  BotInfo,
  ChatEvent,
  Conversation,
  ErrorCode,
  EventOf,
  EventType,
  Failure,
  Json,
  Message,
  RunStatus,
  Usage,
} from "../generated/router.d.ts";

export type Inputs = inferRouterInputs<AppRouter>;

type Send = Inputs["chat"]["send"];

/** A message to a bot. What has a default here is made by the client. */
export interface SendInput extends Omit<Send, "runId" | "conversationId"> {
  /** Default: a new conversation. */
  readonly conversationId?: string | undefined;
  /** Default: a new run. One that exists is followed, and no other is started. */
  readonly runId?: string | undefined;
}

export type FollowInput = Inputs["chat"]["follow"];
export type WatchInput = Inputs["chat"]["watch"];

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}
