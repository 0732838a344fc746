/**
 * The legal order of one run's events, as a pure state machine:
 *
 *   waiting ── runStart ──▶ running ── runEnd ──▶ ended
 *                            │  ▲
 *                            └──┘ spans: open before anything of theirs, close once
 *
 * A reader that joins late or missed events sees a gap; give the machine whole transcripts.
 */
import type { ChatEvent, EventType } from "./events.ts";

export type RunOrder =
  | { readonly phase: "waiting" }
  | {
      readonly phase: "running";
      readonly runId: string;
      readonly open: ReadonlyMap<string, EventType>;
      readonly closed: ReadonlySet<string>;
    }
  | { readonly phase: "ended"; readonly runId: string };

export const beforeRun: RunOrder = { phase: "waiting" };

const closes: Partial<Record<EventType, EventType>> = {
  chainEnd: "chainStart",
  llmEnd: "llmStart",
  toolEnd: "toolStart",
  retrieverEnd: "retrieverStart",
};

/** Which span each event type speaks within, where that is narrower than "any open one". */
const within: Partial<Record<EventType, EventType>> = {
  token: "llmStart",
  reasoning: "llmStart",
  reset: "llmStart",
  toolInput: "llmStart",
  output: "llmStart",
  toolProgress: "toolStart",
  toolUpdate: "toolStart",
};

export class OrderViolation extends Error {
  constructor(event: ChatEvent, why: string) {
    super(`${event.type} of run ${event.runId}: ${why}`);
    this.name = "OrderViolation";
  }
}

/**
 * The state after one more event.
 * @throws OrderViolation when the event may not come now.
 */
export function nextOrder(state: RunOrder, event: ChatEvent): RunOrder {
  if (state.phase === "ended") throw new OrderViolation(event, "comes after runEnd");
  if (state.phase === "waiting") {
    if (event.type !== "runStart") throw new OrderViolation(event, "comes before runStart");
    return { phase: "running", runId: event.runId, open: new Map(), closed: new Set() };
  }
  if (event.runId !== state.runId) {
    throw new OrderViolation(event, `comes inside run ${state.runId}`);
  }
  switch (event.type) {
    case "runStart":
      throw new OrderViolation(event, "comes twice");
    case "runEnd":
      if (event.status === "completed" && state.open.size > 0) {
        throw new OrderViolation(event, `leaves open ${[...state.open.values()].join(", ")}`);
      }
      return { phase: "ended", runId: event.runId };
    case "chainStart":
    case "llmStart":
    case "toolStart":
    case "retrieverStart":
      return opened(state, event);
    case "chainEnd":
    case "llmEnd":
    case "toolEnd":
    case "retrieverEnd":
    case "error":
      return closed(state, event);
    default:
      spoken(state, event);
      return state;
  }
}

type Running = Extract<RunOrder, { phase: "running" }>;
type SpanEvent = Exclude<ChatEvent, { type: "runStart" | "runEnd" }>;

function opened(state: Running, event: SpanEvent & { parentSpanId?: string | undefined }): Running {
  if (state.open.has(event.spanId) || state.closed.has(event.spanId)) {
    throw new OrderViolation(event, `span ${event.spanId} was opened before`);
  }
  if (event.parentSpanId !== undefined && !state.open.has(event.parentSpanId)) {
    throw new OrderViolation(event, `its parent ${event.parentSpanId} is not open`);
  }
  return { ...state, open: new Map(state.open).set(event.spanId, event.type) };
}

function closed(state: Running, event: SpanEvent): Running {
  const openedBy = state.open.get(event.spanId);
  if (openedBy === undefined) throw new OrderViolation(event, `span ${event.spanId} is not open`);
  const expected = event.type === "error" ? `${event.source}Start` : closes[event.type];
  if (openedBy !== expected) {
    throw new OrderViolation(event, `span ${event.spanId} was opened by ${openedBy}`);
  }
  const open = new Map(state.open);
  open.delete(event.spanId);
  return { ...state, open, closed: new Set(state.closed).add(event.spanId) };
}

function spoken(state: Running, event: SpanEvent): void {
  // A span's tokens can turn out void after the span has failed: that is when a fallback begins.
  if (event.type === "reset" && state.closed.has(event.spanId)) return;
  const openedBy = state.open.get(event.spanId);
  if (openedBy === undefined) throw new OrderViolation(event, `span ${event.spanId} is not open`);
  const expected = within[event.type];
  if (expected !== undefined && openedBy !== expected) {
    throw new OrderViolation(event, `span ${event.spanId} was opened by ${openedBy}`);
  }
}
