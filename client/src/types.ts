/// <reference lib="esnext.disposable" preserve="true" />
/** Names for the inputs and outputs of the server's router. */
import type { inferRouterInputs } from "@trpc/server";
import type { AppRouter } from "../generated/router.d.ts";
import type { AnyBots, Bots, SendInputOf, TypesOf } from "./bot-types.ts";

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

/** A message to a bot, or a typed bot's input. What has a default here is made by the client. */
export type SendInput<B extends Bots = AnyBots> = SendInputOf<TypesOf<B>>;

export type FollowInput = Inputs["chat"]["follow"];
export type WatchInput = Inputs["chat"]["watch"];

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}
