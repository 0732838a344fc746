/**
 * The spans of one run, as LangChain opens and closes them. Hidden ones are kept too, for what is
 * below them: on the wire their children belong to the nearest ancestor that shows.
 */
import type { LangwireError } from "../../protocol/errors.ts";
import type { ErrorSource } from "../provider/provider-errors.ts";

export type SpanKind = ErrorSource;

/** How a chain takes part in an agent's work. */
export type AgentRole =
  /** Reports its actions and its finish by itself: the classic executor. */
  | "reports"
  /** A graph: its models' decisions to call tools are its actions. */
  | "graph"
  /** A graph that `createAgent` made: an agent from the first. */
  | "agent"
  | undefined;

export class Span {
  readonly id: string;
  readonly kind: SpanKind;
  readonly parent: Span | undefined;
  /** Tagged as plumbing; what is below it inherits the tag. */
  readonly taggedHidden: boolean;
  readonly hidden: boolean;
  /** A model's: its text is for the bot's own use, not part of the answer. */
  readonly muted: boolean;
  readonly agent: AgentRole;
  /** A chain or tool that runs inside what `createAgent` made. */
  readonly inAgent: boolean;
  open = true;
  /** A model's: it has sent tokens. */
  sentText = false;
  /** A model's: it has sent pieces of its reasoning. */
  sentReasoning = false;
  /** A model's: the text that came by callbacks without a chunk, which is checked at the end. */
  bareText = "";
  /** A model's: the text of its whole answer, once it has ended. */
  said = "";
  /** A model's: its answer was none, or broke off, and LangChain took it for a whole one. */
  broken: LangwireError | undefined;
  /** Of all spans of the run, how many had ended when this one began, and how many when it ended. */
  endedBefore = 0;
  endedBy = 0;
  /** A model's: which of LangChain's two ways of streaming it uses; the first to come counts. */
  streamedBy: "tokens" | "events" | undefined;
  /** A model's: its provider says at the end why it ended; an end without that was none. */
  tellsItsEnd = false;
  /** A model's: a request to the provider was made for it. */
  requested = false;
  /** A graph's: a model in it decided to call a tool. */
  acted = false;

  constructor(options: {
    id: string;
    kind: SpanKind;
    parent: Span | undefined;
    taggedHidden: boolean;
    hidden: boolean;
    muted: boolean;
    agent?: AgentRole;
    inAgent?: boolean;
  }) {
    this.id = options.id;
    this.kind = options.kind;
    this.parent = options.parent;
    this.taggedHidden = options.taggedHidden;
    this.hidden = options.hidden;
    this.muted = options.muted;
    this.agent = options.agent;
    this.inAgent = options.inAgent ?? false;
  }

  /** This span if it shows and is open, else the nearest ancestor that does and is. */
  get shown(): Span | undefined {
    let span: Span | undefined = this;
    while (span !== undefined && (span.hidden || !span.open)) span = span.parent;
    return span;
  }

  isBelow(other: Span): boolean {
    for (let span = this.parent; span !== undefined; span = span.parent) {
      if (span === other) return true;
    }
    return false;
  }

  /** A model's: what it says is the bot's answer, or a step to it, and readers see it. */
  get speaks(): boolean {
    return !this.muted && this.outerTool === undefined;
  }

  /** The outermost tool or retriever around this span: what is said in there is that one's business. */
  get outerTool(): Span | undefined {
    let outermost: Span | undefined;
    for (let span = this.parent; span !== undefined; span = span.parent) {
      if (span.kind === "tool" || span.kind === "retriever") outermost = span;
    }
    return outermost;
  }

  /** The chain that acts as the agent around this span, if it reports no actions by itself. */
  get actor(): Span | undefined {
    for (let span = this.parent; span !== undefined; span = span.parent) {
      if (span.agent === "reports") return undefined;
      if (span.agent !== undefined) return span;
      // What a tool does inside is the tool's business, not its agent's.
      if (span.kind === "tool") return undefined;
    }
    return undefined;
  }
}

export class SpanTree {
  readonly #spans = new Map<string, Span>();

  get(id: string): Span | undefined {
    return this.#spans.get(id);
  }

  add(span: Span): void {
    this.#spans.set(span.id, span);
  }

  /** The model spans, in the order in which they began. */
  get models(): Span[] {
    return [...this.#spans.values()].filter(({ kind }) => kind === "llm");
  }

  /** The first one: of the bot's own runnable. */
  get root(): Span | undefined {
    return this.#spans.values().next().value;
  }

  /** The open spans, the inner ones first. */
  openOnes(): Span[] {
    return [...this.#spans.values()].filter((span) => span.open).reverse();
  }

  /** The oldest open model span that `matches`. */
  findModel(matches: (span: Span) => boolean): Span | undefined {
    for (const span of this.#spans.values()) {
      if (span.kind === "llm" && span.open && matches(span)) return span;
    }
    return undefined;
  }
}
