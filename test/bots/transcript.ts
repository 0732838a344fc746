/** Runs a bot to its end and keeps what it said, checked for the legal order. */
import type { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import {
  type Bot,
  type BotDefinition,
  defineBot,
  type HistoryMessage,
} from "../../src/bots/bot.ts";
import {
  type BotOutcome,
  type BotRun,
  type SpanEvent,
  startBot,
} from "../../src/bots/run/run-bot.ts";
import { type ChatEvent, chatEvent } from "../../src/protocol/events.ts";
import { AnswerFold } from "../../src/protocol/fold/answer-fold.ts";
import { beforeRun, nextOrder } from "../../src/protocol/order.ts";

export interface Transcript {
  readonly events: readonly SpanEvent[];
  readonly outcome: BotOutcome;
  readonly run: BotRun;
  /** The tokens of all spans, joined. */
  readonly tokens: string;
}

export interface TurnOptions {
  readonly message?: string;
  /** A typed bot's, as it was checked. */
  readonly input?: unknown;
  readonly history?: readonly HistoryMessage[];
  readonly signal?: AbortSignal;
  readonly callbacks?: readonly BaseCallbackHandler[];
  readonly onEvent?: (event: SpanEvent) => void;
  readonly onFailure?: (what: string, cause: unknown) => void;
}

export interface TranscriptOptions extends Omit<TurnOptions, "input">, Partial<BotDefinition> {
  readonly runnable: BotDefinition["runnable"];
}

/** The transcript of a bot made of the runnable, and of whatever else of a definition is given. */
export function transcriptOf(options: TranscriptOptions): Promise<Transcript> {
  const { message, history, signal, callbacks, onEvent, onFailure, ...definition } = options;
  const bot = defineBot({ id: "bot", title: "Bot", description: "", ...definition });
  return transcriptOfBot(bot, { ...options, input: undefined });
}

export async function transcriptOfBot(bot: Bot, options: TurnOptions = {}): Promise<Transcript> {
  const { message = "hello", history = [], input, signal, callbacks, onEvent, onFailure } = options;
  const context = {
    runId: crypto.randomUUID(),
    conversationId: crypto.randomUUID(),
    userId: "somebody",
  };
  const events: SpanEvent[] = [];
  const answer = new AnswerFold();
  let settled = false;
  const run = startBot(bot, {
    context,
    turn: { message, history },
    input,
    signal: signal ?? new AbortController().signal,
    onFailure,
    ...(callbacks && { callbacks }),
    spoken: () => answer.text,
    emit(event) {
      if (settled) throw new Error(`${event.type} came after the end`);
      events.push(event);
      answer.add(event);
      onEvent?.(event);
    },
  });
  const outcome = await run.done;
  settled = true;
  checkOrder(context, events, outcome);
  const tokens = events.map((event) => (event.type === "token" ? event.text : "")).join("");
  return { events, outcome, run, tokens };
}

/** Each event has its schema's shape, and the whole run, with its start and end, a legal order. */
function checkOrder(
  { runId, conversationId }: { runId: string; conversationId: string },
  events: readonly SpanEvent[],
  { status }: BotOutcome,
): void {
  const at = new Date().toISOString();
  const start = { conversationId, botId: "bot", userId: "somebody", message: "" };
  const whole: ChatEvent[] = [
    { type: "runStart", runId, at, ...start },
    ...events,
    { type: "runEnd", runId, at, status, text: "" },
  ];
  let order = beforeRun;
  for (const event of whole) {
    // Through JSON, as it travels: what is not plain would show.
    chatEvent.parse(JSON.parse(JSON.stringify(event)));
    order = nextOrder(order, event);
  }
}

/**
 * The events as lines, indented by their spans; neighbouring tokens of one span are one line.
 * Which span an event belongs to is shown by its name.
 */
export function outline(events: readonly SpanEvent[]): string[] {
  const spans = new Map<string, { name: string; depth: number }>();
  const lines: string[] = [];
  let last: SpanEvent | undefined;
  for (const event of events) {
    if ("name" in event && event.type !== "custom" && event.type !== "toolInput") {
      const above = event.parentSpanId === undefined ? undefined : spans.get(event.parentSpanId);
      spans.set(event.spanId, { name: event.name, depth: (above?.depth ?? -1) + 1 });
    }
    const { name, depth } = spans.get(event.spanId) ?? { name: "?", depth: 0 };
    const isText = event.type === "token" || event.type === "reasoning";
    if (isText && last?.type === event.type && last.spanId === event.spanId) {
      lines[lines.length - 1] += event.text;
    } else {
      lines.push(`${"  ".repeat(depth)}${event.type} ${name}${detailOf(event)}`);
    }
    last = event;
  }
  return lines;
}

function detailOf(event: SpanEvent): string {
  switch (event.type) {
    case "token":
    case "reasoning":
    case "text":
      return `: ${event.text}`;
    case "error":
      return `: ${event.code}`;
    case "agentAction":
      return `: ${event.tool}`;
    case "custom":
      return `: ${event.name} ${JSON.stringify(event.data)}`;
    case "llmEnd":
      return event.toolCalls ? `: ${event.toolCalls.map(({ name }) => name).join(", ")}` : "";
    default:
      return "";
  }
}
