/**
 * Writes one run's spans as events: which spans show, who their parents are, which payloads leave
 * the server, which tokens turned out void. It knows nothing of LangChain's callbacks.
 */
import type { LangwireError } from "../../protocol/errors.ts";
import type { ChatEvent, Json } from "../../protocol/events.ts";
import type { Expose } from "../bot.ts";
import { visiblePart } from "../exposure/visible-part.ts";
import type { BotFailure } from "../failures/bot-failure.ts";
import { FailureNames } from "../failures/failure-names.ts";
import { Interrupts } from "../threads/interrupts.ts";
import { bounded } from "./event-bounds.ts";
import { payloadLimits, toPayload, unreadable } from "./payload.ts";
import { agentNameOf, isTaggedHidden, isTaggedNostream, type Metadata } from "./span-facts.ts";
import { type AgentRole, isTool, Span, type SpanKind, SpanTree } from "./span-tree.ts";

/** What a bot's work can say: all but the run's own start and end. */
export type SpanEvent = Exclude<ChatEvent, { type: "runStart" | "runEnd" }>;

export class SpanWriter {
  readonly runId: string;
  readonly tree = new SpanTree();
  readonly interrupts = new Interrupts();
  readonly #expose: Expose;
  #emit: (event: SpanEvent) => void;
  /** Model spans that failed after tokens were emitted: reset as soon as the run goes on without them. */
  readonly #failedModels = new Set<Span>();
  readonly #failures = new FailureNames();
  readonly #onBotFailure: ((failure: BotFailure) => void) | undefined;
  /** How many spans have ended. */
  #ended = 0;

  /** @param options.onBotFailure called for each span that fails, before its event is emitted */
  constructor(options: {
    runId: string;
    expose: Expose;
    emit: (event: SpanEvent) => void;
    onBotFailure?: ((failure: BotFailure) => void) | undefined;
  }) {
    this.runId = options.runId;
    this.#onBotFailure = options.onBotFailure;
    this.#expose = options.expose;
    this.#emit = options.emit;
  }

  emit(event: SpanEvent): void {
    this.#emit(bounded(event));
  }

  /**
   * After this, nothing is emitted any more. Pooled connections keep LangChain's handlers in their async
   * context, so the reference to the run's log is dropped, not just ignored.
   */
  close(): void {
    this.#emit = () => {};
  }

  /** A span begins; its start event is the caller's, unless the span is hidden. */
  open(options: {
    id: string;
    kind: SpanKind;
    name: string;
    parentId: string | undefined;
    tags: readonly string[] | undefined;
    agent?: AgentRole;
    inAgent?: boolean;
    metadata?: Metadata;
  }): Span {
    const { id: langChainId, parentId, tags, metadata, ...facts } = options;
    const parent = this.#parentOf(parentId);
    const taggedHidden = isTaggedHidden(tags);
    // A model inside of plumbing inherits the tag, and is no plumbing: what it says is the answer.
    const plumbing = taggedHidden && (facts.kind === "chain" || !parent?.taggedHidden);
    const hidden = plumbing && this.#expose !== "all";
    const span = new Span({
      ...facts,
      id: this.#isId(langChainId) ? langChainId : crypto.randomUUID(),
      parent,
      taggedHidden,
      hidden,
      nostream: isTaggedNostream(tags),
      agentName: agentNameOf({ ...facts, parent }, metadata),
    });
    // Another model begins: the run goes on without those that failed.
    if (span.kind === "llm") this.#resetFailedModels(() => true);
    span.endedAtBegin = this.#ended;
    this.tree.add(span, langChainId);
    return span;
  }

  opening(span: Span): Opening {
    const parentSpanId = span.parent?.shown?.id;
    return {
      runId: this.runId,
      spanId: span.id,
      ...(parentSpanId !== undefined && { parentSpanId }),
      at: now(),
      name: span.name,
      ...(span.agentName !== undefined && { agentName: span.agentName }),
    };
  }

  /** What the end event of a span has in common with the others, unless it is hidden or closed. */
  shut(span: Span | undefined): Closing | undefined {
    if (span === undefined || !span.open) return undefined;
    this.#close(span);
    return span.hidden ? undefined : { runId: this.runId, spanId: span.id, at: now() };
  }

  /** A span is about to end well: the run has recovered from the models that failed below it. */
  survived(span: Span): void {
    this.#resetFailedModels((failed) => failed.isBelow(span));
  }

  /** A span ends by failing. */
  fail(span: Span | undefined, cause: unknown): void {
    const hasSent = span?.sentText || span?.sentReasoning || span?.calls !== undefined;
    if (span?.open && span.speaks && hasSent) this.#failedModels.add(span);
    this.breakOff(span, cause);
  }

  /** Fails a model's span that LangChain takes for a success. It is not reset: its text stays. */
  breakOff(span: Span | undefined, cause: unknown): void {
    if (span === undefined || !span.open) return;
    this.#close(span);
    const error = this.name(cause, span.kind);
    const { id, kind: source, name } = span;
    this.#onBotFailure?.({ error, span: { id, source, name } });
    const { code, message, retryable, retryAfterMs } = error;
    if (span.hidden) return;
    this.emit({
      type: "error",
      runId: this.runId,
      spanId: span.id,
      at: now(),
      source: span.kind,
      code,
      message,
      retryable,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }

  /**
   * Whether a span ends by an interrupt or a hand-over, which is no failure. What an interrupt asks is
   * emitted whatever the bot exposes: it is meant for a person.
   */
  stopped(spanId: string, thrown: unknown): boolean {
    return this.interrupts.stops(thrown, (question) => {
      this.custom(spanId, "interrupt", question);
    });
  }

  /** Emits a custom event. @param spanId of a span, hidden or not */
  custom(spanId: string, name: string, data: unknown): void {
    const span = (this.tree.get(spanId) ?? this.tree.root)?.shown;
    if (span === undefined) return;
    this.emit({
      type: "custom",
      runId: this.runId,
      spanId: span.id,
      name,
      ...(data !== undefined && { data: toPayload(data) }),
    });
  }

  /** The error code of a failure; the same for one error in every span that it passes through. */
  name(cause: unknown, kind: SpanKind): LangwireError {
    const named = this.#failures.of(cause, kind);
    if (named.code === "INTERRUPT_UNSUPPORTED") this.interrupts.refused = true;
    return named;
  }

  reset(span: Span): void {
    span.calls = undefined;
    span.output = undefined;
    if (!span.hidden) this.emit({ type: "reset", runId: this.runId, spanId: span.id });
  }

  /** Closes what LangChain left open in a run that succeeded. */
  closeOpenSpans(): void {
    for (const span of this.tree.openOnes()) {
      this.survived(span);
      const closing = this.shut(span);
      if (closing === undefined) continue;
      switch (span.kind) {
        case "chain":
          this.emit({ type: "chainEnd", ...closing });
          break;
        case "llm":
          this.emit({ type: "llmEnd", ...closing });
          break;
        case "tool":
          this.emit({ type: "toolEnd", ...closing });
          break;
        case "retriever":
          this.emit({ type: "retrieverEnd", ...closing });
          break;
      }
    }
  }

  /** Whether what the span takes and returns may leave the server: a chain's as `payloadOf` says. */
  exposes(span: Span): boolean {
    switch (this.#expose) {
      case "none":
        return false;
      case "root":
        return span.parent === undefined && !isTool(span);
      case "tools":
        return span.parent === undefined || isTool(span);
      case "all":
        return true;
    }
  }

  /** A chain's input or output without what this level hides. */
  payloadOf(span: Span, value: unknown): Json {
    if (this.#expose === "all" || this.#expose === "none") return toPayload(value);
    const isGraphState = span.agent === "graph" || span.agent === "agent";
    try {
      return toPayload(visiblePart(value, { level: this.#expose, isGraphState }));
    } catch {
      return unreadable;
    }
  }

  /** Whether what tools, retrievers and agent actions take and return may. */
  get exposesTools(): boolean {
    return this.#expose === "tools" || this.#expose === "all";
  }

  /** A bot may name its runs itself, by anything, and several by one name. */
  #isId(langChainId: unknown): boolean {
    if (typeof langChainId !== "string" || this.tree.get(langChainId) !== undefined) return false;
    return langChainId.length <= payloadLimits.nameCharacters;
  }

  /**
   * A runnable may be given the run's handlers and not its place (`callbacks: config.callbacks.handlers`).
   * It is no root, of which a level shows more.
   */
  #parentOf(parentId: string | undefined): Span | undefined {
    return this.tree.get(parentId ?? "") ?? this.tree.probableCaller;
  }

  #close(span: Span): void {
    span.open = false;
    this.#ended += 1;
    span.endedAtEnd = this.#ended;
  }

  #resetFailedModels(which: (failed: Span) => boolean): void {
    for (const failed of this.#failedModels) {
      if (!which(failed)) continue;
      this.#failedModels.delete(failed);
      this.reset(failed);
    }
  }
}

export interface Opening {
  readonly runId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly at: string;
  readonly name: string;
  readonly agentName?: string;
}

export interface Closing {
  readonly runId: string;
  readonly spanId: string;
  readonly at: string;
}

const now = (): string => new Date().toISOString();
