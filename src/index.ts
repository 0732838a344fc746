/** Langwire as a library: bots, runs and a router to mount into your own tRPC application. */
import "./open/require-node.ts";

export type { CallContext as Connection } from "./api/context.ts";
export { formatError, toTrpcError } from "./api/errors.ts";
export { type ChatRouter, type ChatRouterOptions, createChatRouter } from "./api/router.ts";
export {
  type Bot,
  type BotContext,
  type BotDefinition,
  type BotTurn,
  defineBot,
  type Expose,
  type Memory,
} from "./bots/bot.ts";
export type { BotTypes } from "./bots/definition/bot-types.ts";
export type { StandardSchema } from "./bots/definition/standard-schema.ts";
export { type BotAtWork, botAtWork, type StrayError } from "./bots/isolation/bot-at-work.ts";
export { EventCompletions } from "./bots/provider/event-completions.ts";
export { createEventFetch } from "./event-fetch/event-fetch.ts";
export { type Langwire, type LangwireOptions, openLangwire } from "./open/open-langwire.ts";
export { type ErrorCode, errorTable, type Failure, LangwireError } from "./protocol/errors.ts";
export type { ChatEvent, EventOf, EventType, RunStatus, Usage } from "./protocol/events.ts";
export type { LimitsOf, UserLimits } from "./runs/admission/user-limits.ts";
export type { Caller } from "./runs/caller.ts";
export type { Pacer } from "./runs/following/pacer.ts";
export type { RunLimits } from "./runs/limits.ts";
export { allOf, type RunObserver } from "./runs/observer.ts";
export { logRuns, type RunLogger } from "./runs/run-log.ts";
export { type TokenKey, type TokenOptions, verifyTokens } from "./server/access/auth.ts";
export type { AuthRequest } from "./server/access/auth-request.ts";
export type { Credentials, Identity } from "./server/access/callers.ts";
export type { Authenticate, Authenticated } from "./server/access/identify.ts";
export { type ChatServer, createServer, type ServerOptions } from "./server/app.ts";
export { createFetchHandler, type FetchHandlerOptions } from "./server/fetch/fetch-handler.ts";
export { traceRuns } from "./server/metrics/tracing.ts";
export { agentBot } from "./shipped/agent-bot.ts";
export { chatBot } from "./shipped/chat-bot.ts";
export { createModel, type ModelSettings } from "./shipped/model.ts";
