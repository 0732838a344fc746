/// <reference lib="esnext.disposable" preserve="true" />
/** Names for the inputs and outputs of the server's router. */
import type { inferRouterInputs } from "@trpc/server";
import type { AppRouter, Json } from "../generated/router.d.ts";

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
  Part,
  PartOf,
  RunStatus,
  Usage,
} from "../generated/router.d.ts";

export type Inputs = inferRouterInputs<AppRouter>;

type Send = Inputs["chat"]["send"];

/** A message to a bot, or a typed bot's input. What has a default here is made by the client. */
export type SendInput = SendOptions & (WithMessage | WithInput);

interface SendOptions extends Omit<Send, "runId" | "conversationId" | "message" | "input"> {
  /** Default: a new conversation. */
  readonly conversationId?: string | undefined;
  /** Default: a new run. One that exists is followed, and no other is started. */
  readonly runId?: string | undefined;
}

interface WithMessage {
  readonly message: string;
  readonly input?: undefined;
}

interface WithInput {
  readonly input: Json;
  readonly message?: undefined;
}

export type FollowInput = Inputs["chat"]["follow"];
export type WatchInput = Inputs["chat"]["watch"];

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}
