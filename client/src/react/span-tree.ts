/** What happens inside a run, as a tree: chains, models, tools and searches, each in its parent. */
import type { ChatEvent, Failure, Json, Usage } from "../types.ts";

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
  readonly usage?: Usage | undefined;
  readonly finishReason?: string | undefined;
  /** As far as the bot exposes them. */
  readonly input?: Json | undefined;
  readonly output?: Json | undefined;
  readonly error?: Failure | undefined;
  /** What it reported on its way: a tool's progress, a chain's text, the bot's own events. */
  readonly notes: readonly SpanNote[];
  readonly children: readonly Span[];
}

export interface SpanNote {
  readonly name: string;
  readonly data?: Json | undefined;
}

type Facts = { -readonly [K in keyof Omit<Span, "children" | "notes">]: Span[K] };

interface Node {
  readonly facts: Facts;
  readonly notes: SpanNote[];
  readonly children: Node[];
  readonly parent: Node | undefined;
  /** As it was last read; undefined when it, or something inside it, has changed since. */
  sealed: Span | undefined;
}

type SpanStart = Extract<ChatEvent, { name: string; at: string }>;

export class SpanTree {
  readonly #nodes = new Map<string, Node>();
  readonly #roots: Node[] = [];
  #sealed: readonly Span[] | undefined = [];

  /** The spans that have no parent, oldest first. */
  get roots(): readonly Span[] {
    this.#sealed ??= this.#roots.map(sealed);
    return this.#sealed;
  }

  add(event: ChatEvent): void {
    switch (event.type) {
      case "chainStart":
      case "toolStart":
        this.#open(event, { input: event.input });
        break;
      case "llmStart":
        this.#open(event, { model: event.model });
        break;
      case "retrieverStart":
        this.#open(event, { input: event.query });
        break;
      case "token":
        this.#change(event.spanId, ({ facts }) => {
          facts.text += event.text;
        });
        break;
      case "reset":
        this.#change(event.spanId, { text: "" });
        break;
      case "chainEnd":
      case "toolEnd":
        this.#close(event.spanId, event.at, { output: event.output });
        break;
      case "llmEnd":
        this.#close(event.spanId, event.at, {
          usage: event.usage,
          finishReason: event.finishReason,
        });
        break;
      case "retrieverEnd":
        this.#close(event.spanId, event.at, { output: event.documents });
        break;
      case "error": {
        const { code, message, retryable, retryAfterMs } = event;
        const error = { code, message, retryable, retryAfterMs };
        this.#close(event.spanId, event.at, { status: "failed", error });
        break;
      }
      case "toolProgress":
        this.#note(event.spanId, { name: "progress", data: event.data ?? event.text });
        break;
      case "toolUpdate":
        this.#note(event.spanId, { name: "progress", data: event.data });
        break;
      case "text":
        this.#note(event.spanId, { name: "text", data: event.text });
        break;
      case "custom":
        this.#note(event.spanId, { name: event.name, data: event.data });
        break;
      case "runEnd":
        this.#stop(event.at);
        break;
    }
  }

  #open(event: SpanStart, more: Partial<Facts>): void {
    const parent = this.#nodes.get(event.parentSpanId ?? "");
    const facts: Facts = {
      id: event.spanId,
      kind: kindOf(event.type),
      name: event.name,
      status: "running",
      startedAt: event.at,
      text: "",
      ...more,
    };
    const node: Node = { facts, notes: [], children: [], parent, sealed: undefined };
    this.#nodes.set(event.spanId, node);
    (parent?.children ?? this.#roots).push(node);
    this.#unseal(node);
  }

  #close(spanId: string, at: string, more: Partial<Facts>): void {
    this.#change(spanId, { status: "done", endedAt: at, ...more });
  }

  #note(spanId: string, note: SpanNote): void {
    this.#change(spanId, ({ notes }) => void notes.push(note));
  }

  #stop(at: string): void {
    for (const node of this.#nodes.values()) {
      if (node.facts.status !== "running") continue;
      Object.assign(node.facts, { status: "stopped", endedAt: at });
      this.#unseal(node);
    }
  }

  #change(spanId: string, change: Partial<Facts> | ((node: Node) => void)): void {
    const node = this.#nodes.get(spanId);
    if (node === undefined) return;
    if (typeof change === "function") change(node);
    else Object.assign(node.facts, change);
    this.#unseal(node);
  }

  #unseal(node: Node): void {
    this.#sealed = undefined;
    for (let at: Node | undefined = node; at !== undefined; at = at.parent) at.sealed = undefined;
  }
}

/** What has not changed is handed out again, so that a reader can tell by looking at the object. */
function sealed(node: Node): Span {
  node.sealed ??= {
    ...node.facts,
    notes: [...node.notes],
    children: node.children.map(sealed),
  };
  return node.sealed;
}

function kindOf(type: SpanStart["type"]): SpanKind {
  switch (type) {
    case "chainStart":
      return "chain";
    case "llmStart":
      return "llm";
    case "toolStart":
      return "tool";
    case "retrieverStart":
      return "retriever";
  }
}
