/** The spans of one run as a tree: chains, models, tools and searches, each in its parent. */
import type { ChatEvent, EventOf } from "../events.ts";
import type { Said } from "./answer-fold.ts";
import type { Span, SpanKind } from "./span.ts";
import { SpanNotes } from "./span-notes.ts";

type Facts = {
  -readonly [K in keyof Omit<Span, "text" | "reasoning" | "notes" | "children">]: Span[K];
};

interface Node {
  readonly facts: Facts;
  readonly notes: SpanNotes;
  readonly children: Node[];
  readonly parent: Node | undefined;
  /**
   * As it was last read; undefined when it, or something inside it, has changed since. So where it is
   * undefined, it is so all the way up.
   */
  sealed: Span | undefined;
}

type SpanStart = EventOf<"chainStart" | "llmStart" | "toolStart" | "retrieverStart">;

export class SpanTree {
  readonly #said: Said;
  readonly #reasoned: Said;
  readonly #nodes = new Map<string, Node>();
  readonly #roots: Node[] = [];
  #sealed: readonly Span[] | undefined = [];

  /** @param texts what the models say, kept by whoever folds the run: tokens have to be told here, too */
  constructor(texts: { readonly said: Said; readonly reasoned: Said }) {
    this.#said = texts.said;
    this.#reasoned = texts.reasoned;
  }

  /** The spans that have no parent, or one that is unknown, oldest first. */
  get roots(): readonly Span[] {
    this.#sealed ??= this.#roots.map((node) => this.#seal(node));
    return this.#sealed;
  }

  add(event: ChatEvent): void {
    switch (event.type) {
      case "token":
      case "reasoning":
      case "reset":
        this.#unseal(this.#nodes.get(event.spanId));
        break;
      case "chainStart":
        this.#open(event, { input: event.input });
        break;
      case "toolStart":
        this.#open(event, { toolCallId: event.toolCallId, input: event.input });
        break;
      case "llmStart":
        this.#open(event, { model: event.model });
        break;
      case "retrieverStart":
        this.#open(event, { input: event.query });
        break;
      case "chainEnd":
      case "toolEnd":
        this.#close(event, { output: event.output });
        break;
      case "llmEnd": {
        const { usage, finishReason, toolCalls } = event;
        this.#close(event, { usage, finishReason, toolCalls });
        break;
      }
      case "retrieverEnd":
        this.#close(event, { output: event.documents });
        break;
      case "error": {
        const { code, message, retryable, retryAfterMs, detail } = event;
        this.#close(event, {
          status: "failed",
          error: { code, message, retryable, retryAfterMs, ...(detail && { detail }) },
        });
        break;
      }
      case "toolProgress":
      case "toolUpdate":
      case "text":
      case "custom": {
        const node = this.#nodes.get(event.spanId);
        node?.notes.add(event);
        this.#unseal(node);
        break;
      }
      case "runEnd":
        for (const node of this.#nodes.values()) this.#end(node, event.at, { status: "stopped" });
        break;
    }
  }

  #open(event: SpanStart, more: Partial<Facts>): void {
    const { spanId: id, name, at: startedAt } = event;
    // A span opens once; a tree in which one did twice might never end.
    if (this.#nodes.has(id)) return;
    const parent = this.#nodes.get(event.parentSpanId ?? "");
    const facts: Facts = {
      id,
      kind: kindOf(event.type),
      name,
      status: "running",
      startedAt,
      ...more,
    };
    const node: Node = { facts, notes: new SpanNotes(), children: [], parent, sealed: undefined };
    this.#nodes.set(id, node);
    (parent?.children ?? this.#roots).push(node);
    this.#sealed = undefined;
    this.#unseal(parent);
  }

  #close({ spanId, at }: { spanId: string; at: string }, more: Partial<Facts>): void {
    this.#end(this.#nodes.get(spanId), at, { status: "done", ...more });
  }

  #end(node: Node | undefined, at: string, more: Partial<Facts>): void {
    if (node?.facts.status !== "running") return;
    Object.assign(node.facts, { endedAt: at, ...more });
    this.#unseal(node);
  }

  #unseal(node: Node | undefined): void {
    for (let at = node; at?.sealed !== undefined; at = at.parent) at.sealed = undefined;
    if (node !== undefined) this.#sealed = undefined;
  }

  /** What has not changed is handed out again, so that a reader can tell by looking at the object. */
  #seal(node: Node): Span {
    node.sealed ??= {
      ...node.facts,
      text: this.#said.get(node.facts.id)?.text ?? "",
      reasoning: this.#reasoned.get(node.facts.id)?.text ?? "",
      notes: node.notes.all,
      children: node.children.map((child) => this.#seal(child)),
    };
    return node.sealed;
  }
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
