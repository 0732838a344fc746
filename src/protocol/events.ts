/**
 * Every event of a conversation's log, one schema each. All of it is plain JSON: times are ISO
 * strings, payloads are bounded JSON values. Readers ignore types and fields that they don't know.
 *
 * What goes with a new type: whether it is model's text (bots/exposure/withheld-text.ts) and a line for
 * it in the client's summary, which the compiler asks for; its row in PROTOCOL.md and `npm run generate`,
 * which tests ask for; and, which nobody asks for, its legal place (order.ts), what it adds to a run
 * (fold/), whether neighbours may be one (fold/text-pieces.ts), and what the client's command line and
 * the AI SDK's transport show of it (client/src/cli/render.ts, client/src/ai-sdk/ui-chunks.ts).
 */
import { z } from "zod";
import { errorCode, failure } from "./errors.ts";
import { modelContent, retrievedDocument, toolCall } from "./event-content.ts";

const runId = z.uuid();
/** LangChain's own run id of one chain, model, tool or retriever call. */
const spanId = z.string();
const at = z.iso.datetime();
/** A JSON value made by a bot; the server bounds it and marks where it was cut. */
const payload = z.json();

const inRun = { runId };
const inSpan = { runId, spanId };
const spanOpens = {
  ...inSpan,
  parentSpanId: spanId.optional(),
  at,
  name: z.string(),
  /** The agent in which it happens, where the bot gave that a name: a subagent's, in a deep agent. */
  agentName: z.string().optional(),
};
const spanCloses = { ...inSpan, at };

/** Tokens counted by the provider. */
export const usage = z.object({
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  totalTokens: z.number().int().nonnegative(),
  /** Part of `inputTokens` that the provider served from its cache. */
  cachedInputTokens: z.number().int().nonnegative().optional(),
  /** Part of `outputTokens` that the model spent on reasoning. */
  reasoningTokens: z.number().int().nonnegative().optional(),
});

export const runStatus = z.enum(["completed", "cancelled", "failed"]);

export const runStart = z.object({
  type: z.literal("runStart"),
  ...inRun,
  at,
  conversationId: z.uuid(),
  botId: z.string(),
  userId: z.string(),
  /** What was written; of a typed bot's `input`, its JSON as text. */
  message: z.string(),
  /** What a typed bot was given, as it was checked. */
  input: payload.optional(),
});

export const chainStart = z.object({
  type: z.literal("chainStart"),
  ...spanOpens,
  input: payload.optional(),
});

export const chainEnd = z.object({
  type: z.literal("chainEnd"),
  ...spanCloses,
  output: payload.optional(),
});

export const llmStart = z.object({
  type: z.literal("llmStart"),
  ...spanOpens,
  model: z.string().optional(),
});

export const llmEnd = z.object({
  type: z.literal("llmEnd"),
  ...spanCloses,
  usage: usage.optional(),
  finishReason: z.string().optional(),
  toolCalls: z.array(toolCall).optional(),
  content: z.array(modelContent).optional(),
});

/** A piece of the model's answer. Neighbours of one span may arrive merged into one. */
export const token = z.object({ type: z.literal("token"), ...inSpan, text: z.string() });

/** A piece of the model's reasoning, where the provider shows it. Merged like tokens. */
export const reasoning = z.object({ type: z.literal("reasoning"), ...inSpan, text: z.string() });

/**
 * A piece of a tool call, while a model writes it. The first one of a call has its `name`. Neighbours of
 * one call that have `text` alone may arrive merged.
 */
export const toolInput = z.object({
  type: z.literal("toolInput"),
  ...inSpan,
  /** The provider's; the `toolStart` that answers the call has it too. Unique among the span's calls. */
  toolCallId: z.string(),
  name: z.string().optional(),
  /** A piece of the arguments' JSON. Only where the bot exposes its tools' payloads. */
  text: z.string().optional(),
});

/** A typed bot's answer as far as a model has written it: each one replaces the one before. */
export const output = z.object({ type: z.literal("output"), ...inSpan, value: payload });

export const toolStart = z.object({
  type: z.literal("toolStart"),
  ...spanOpens,
  toolCallId: z.string().optional(),
  input: payload.optional(),
});

/**
 * What a tool says while it works: what a generator tool yields, what a server of tools reports, the
 * text of models inside of it. Neighbours of one span that have `text` alone may arrive merged.
 */
export const toolProgress = z.object({
  type: z.literal("toolProgress"),
  ...inSpan,
  text: z.string().optional(),
  data: payload.optional(),
});

/** What `toolProgress` was called before. No longer sent; older logs hold it, so it is still read. */
export const toolUpdate = z.object({
  type: z.literal("toolUpdate"),
  ...inSpan,
  data: payload.optional(),
});

export const toolEnd = z.object({
  type: z.literal("toolEnd"),
  ...spanCloses,
  output: payload.optional(),
  /** What it returned for a page and not for the model: LangChain's `artifact`. */
  artifact: payload.optional(),
  /** Its images, files and sources. */
  content: z.array(modelContent).optional(),
});

/** An agent decided to use a tool. */
export const agentAction = z.object({
  type: z.literal("agentAction"),
  ...inSpan,
  tool: z.string(),
  toolCallId: z.string().optional(),
  input: payload.optional(),
  log: z.string().optional(),
});

/** An agent gave its final answer. */
export const agentFinish = z.object({
  type: z.literal("agentFinish"),
  ...inSpan,
  output: payload.optional(),
  log: z.string().optional(),
});

export const retrieverStart = z.object({
  type: z.literal("retrieverStart"),
  ...spanOpens,
  query: z.string().optional(),
});

export const retrieverEnd = z.object({
  type: z.literal("retrieverEnd"),
  ...spanCloses,
  documents: z.array(retrievedDocument).optional(),
});

/** Free text that a chain or agent reports through LangChain's `handleText`. */
export const text = z.object({ type: z.literal("text"), ...inSpan, text: z.string() });

/** What a bot's own code sent with `dispatchCustomEvent`; named `writer`, through LangGraph's writer. */
export const custom = z.object({
  type: z.literal("custom"),
  ...inSpan,
  name: z.string(),
  data: payload.optional(),
});

/** What a channel that the bot has declared in its `state` holds from now on. */
export const state = z.object({
  type: z.literal("state"),
  ...inSpan,
  channel: z.string(),
  value: payload,
});

/** The span's tokens so far, and the calls that it was writing, are void: a retry or a fallback starts over. */
export const reset = z.object({ type: z.literal("reset"), ...inSpan });

/** A span ended by failing. The run itself may go on: a fallback, a retry, an agent that copes. */
export const error = z.object({
  type: z.literal("error"),
  ...spanCloses,
  source: z.enum(["llm", "chain", "tool", "retriever"]),
  code: errorCode,
  message: z.string(),
  retryable: z.boolean(),
  retryAfterMs: z.number().int().nonnegative().optional(),
  /** As a failure's: from servers in development mode alone. */
  detail: z.string().optional(),
});

/** The one ending of a run. It makes a reader whole who missed anything. */
export const runEnd = z.object({
  type: z.literal("runEnd"),
  ...inRun,
  at,
  status: runStatus,
  /** The whole answer; what there is of it when the run was cancelled or failed. */
  text: z.string(),
  /** What a typed bot answers, checked against its `output`. */
  output: payload.optional(),
  /** Summed over the model spans; what is known when the run was cancelled or failed. */
  usage: usage.optional(),
  /** Set when `status` is `failed`. */
  error: failure.optional(),
});

export const chatEvent = z.discriminatedUnion("type", [
  runStart,
  chainStart,
  chainEnd,
  llmStart,
  llmEnd,
  token,
  reasoning,
  toolInput,
  output,
  toolStart,
  toolProgress,
  toolUpdate,
  toolEnd,
  agentAction,
  agentFinish,
  retrieverStart,
  retrieverEnd,
  text,
  custom,
  state,
  reset,
  error,
  runEnd,
]);

export type ChatEvent = z.infer<typeof chatEvent>;
export type EventType = ChatEvent["type"];
export type EventOf<T extends EventType> = Extract<ChatEvent, { type: T }>;
export type Usage = z.infer<typeof usage>;
export type RunStatus = z.infer<typeof runStatus>;
/** Any JSON value. */
export type Json = z.infer<typeof payload>;

export const eventTypes = chatEvent.options.map((option) => option.shape.type.value) as [
  EventType,
  ...EventType[],
];
