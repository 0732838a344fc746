/** What happens inside a run, as a reader sees it. */
import type { Failure } from "../errors.ts";
import type { EventOf, Json, Usage } from "../events.ts";

export type SpanKind = "chain" | "llm" | "tool" | "retriever";

/** `stopped`: the run ended before the span did. */
export type SpanStatus = "running" | "done" | "failed" | "stopped";

/** One chain, model, tool or retriever call. The object stays the same until something changes. */
export interface Span {
  readonly id: string;
  readonly kind: SpanKind;
  readonly name: string;
  readonly status: SpanStatus;
  /** ISO times of the server's clock. */
  readonly startedAt: string;
  readonly endedAt?: string | undefined;
  /** A model's name, where it is known. */
  readonly model?: string | undefined;
  /** What a model has said so far. */
  readonly text: string;
  /** What a model has shown of its reasoning so far. */
  readonly reasoning: string;
  readonly usage?: Usage | undefined;
  readonly finishReason?: string | undefined;
  /** The tools that a model has asked for. */
  readonly toolCalls?: EventOf<"llmEnd">["toolCalls"];
  /** Of a tool: the call that it answers, where a model has made one. */
  readonly toolCallId?: string | undefined;
  /** As far as the bot exposes them. */
  readonly input?: Json | undefined;
  readonly output?: Json | undefined;
  readonly error?: Failure | undefined;
  /** What it reported on its way, in order. */
  readonly notes: readonly SpanNote[];
  readonly children: readonly Span[];
}

/** A tool's progress, a chain's free text, or the bot's own event. */
export interface SpanNote {
  readonly type: "progress" | "text" | "custom";
  /** The event's own name where the bot gave it one; otherwise as `type`. */
  readonly name: string;
  /** Pieces of a tool's progress that come one after the other are one text. */
  readonly text?: string | undefined;
  readonly data?: Json | undefined;
}

/** What one span has said. */
export interface SpanText {
  readonly spanId: string;
  readonly text: string;
}
