/**
 * The spans of one run, as LangChain opens and closes them. Hidden ones are kept too, for what is
 * below them: on the wire their children belong to the nearest ancestor that shows. (What readers make
 * of the events is another tree: protocol/fold/span-tree.ts.)
 *
 * Four fields tell of a model's text, each for a question of its own:
 *
 *   returned       what LangChain's result holds: to find the model of a message in the bot's output. Of
 *                  several candidates (`n`) that were streamed it is a mixture.
 *   said           what the model said, once it has ended: `returned`, or without the mixture what came
 *                  by callbacks. For whether the answer is made of it.
 *   uncheckedText  what came by callbacks without chunks: it may differ from `returned`, with which it is
 *                  compared at the end; where it does, the span is reset.
 *   sentText       whether any text came: if none did, `returned` is sent at the end.
 *
 * Whether readers receive any of it is `voice`; `nostream` is one of the reasons why not.
 */
import type { LangwireError } from "../../protocol/errors.ts";
import type { ErrorSource } from "../provider/provider-errors.ts";
import type { WrittenOutput } from "./model/partial-outputs.ts";
import type { WrittenCall } from "./model/tool-inputs.ts";
import type { Voice } from "./model/who-speaks.ts";
import type { HeldHalf } from "./model/whole-characters.ts";

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
  /** As readers know it: LangChain's, where that is one. */
  readonly id: string;
  readonly kind: SpanKind;
  readonly name: string;
  readonly parent: Span | undefined;
  /** Tagged as plumbing; what is below it inherits the tag. */
  readonly taggedHidden: boolean;
  readonly hidden: boolean;
  /** A model's: it, or what it runs in, is tagged `nostream`: its text is not for readers. */
  readonly nostream: boolean;
  readonly agent: AgentRole;
  /** A chain or tool that runs inside what `createAgent` made. */
  readonly inAgent: boolean;
  /** Of the agent or graph that it is or is in, where that was given a name. */
  readonly agentName: string | undefined;
  open = true;
  /** A model's: where its text goes. */
  voice: Voice = "silent";
  /** A model's: it was asked for JSON, or to call one tool and nothing else. */
  structured = false;
  /** A model's: how many answers it was asked for. Only the first is on the wire. */
  candidates = 1;
  /** A model's: the id of the message that it answered with. */
  messageId: string | undefined;
  /** A model's: the text of LangChain's result. */
  returned = "";
  /** A tool's: which of a model's calls it answers. */
  toolCallId: string | undefined;
  /** A model's: the first half of a surrogate pair, held back from its text and from its reasoning. */
  readonly textHalf: HeldHalf = { half: "" };
  readonly reasoningHalf: HeldHalf = { half: "" };
  /** A model's: some text came. */
  sentText = false;
  /** A model's: it has sent pieces of its reasoning. */
  sentReasoning = false;
  /** A model's: the tool calls that it has written since it began or was reset, where readers see them. */
  calls: WrittenCall[] | undefined;
  /** A typed bot's model's: it is asked for JSON, or for one call, that may be the bot's answer. */
  writesOutput = false;
  /** … and the JSON that it has written so far. */
  output: WrittenOutput | undefined;
  /** A model's: text that came without chunks. */
  uncheckedText = "";
  /** A model's: its own text, once it has ended. */
  said = "";
  /** A model's: a node of the graph took its message out of the state. */
  isRemoved = false;
  /** A model's: why its answer, which LangChain took for a whole one, is broken. */
  broken: LangwireError | undefined;
  /**
   * A clock that counts ended spans of the run: how many there were when this one began, and when it
   * ended. A span began after another's end where its `endedAtBegin >= other.endedAtEnd`.
   */
  endedAtBegin = 0;
  endedAtEnd = 0;
  /** A model's: which of LangChain's two ways of streaming it uses; the first to come counts. */
  streamedBy: "tokens" | "events" | undefined;
  /** A model's: its provider always sends a finish reason, so an answer without one broke off. */
  sendsFinishReason = false;
  /** A graph's: a model in it decided to call a tool. */
  acted = false;

  constructor(options: {
    id: string;
    kind: SpanKind;
    name: string;
    parent: Span | undefined;
    taggedHidden: boolean;
    hidden: boolean;
    nostream: boolean;
    agent?: AgentRole;
    inAgent?: boolean;
    agentName: string | undefined;
  }) {
    this.id = options.id;
    this.kind = options.kind;
    this.name = options.name;
    this.parent = options.parent;
    this.taggedHidden = options.taggedHidden;
    this.hidden = options.hidden;
    this.nostream = options.nostream;
    this.agent = options.agent;
    this.inAgent = options.inAgent ?? false;
    this.agentName = options.agentName;
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
    return this.voice === "answer";
  }

  /** The names of the spans around it, the run's own first. */
  get path(): string[] {
    return this.parent === undefined ? [] : [...this.parent.path, this.parent.name];
  }

  /** Whether it is a graph's, an agent's mostly. */
  get isGraph(): boolean {
    return this.agent === "graph" || this.agent === "agent";
  }

  /** Whether it is a node of a graph. */
  get isNode(): boolean {
    return this.parent?.isGraph === true;
  }

  /** The graph around it, an agent's mostly. */
  get graph(): Span | undefined {
    for (let span = this.parent; span !== undefined; span = span.parent) {
      if (span.isGraph) return span;
    }
    return undefined;
  }

  /** The outermost tool or retriever around this span: the text of models inside of it is its own work. */
  get outerTool(): Span | undefined {
    let outermost: Span | undefined;
    for (let span = this.parent; span !== undefined; span = span.parent) {
      if (isTool(span)) outermost = span;
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

/** A tool, or a retriever. */
export const isTool = ({ kind }: Span): boolean => kind === "tool" || kind === "retriever";

export class SpanTree {
  readonly #all: Span[] = [];
  /** By LangChain's id, which a bot may choose, and use twice: then it means the newest one. */
  readonly #spans = new Map<string, Span>();
  readonly #models: Span[] = [];

  /** The model spans, in the order in which they began. */
  get models(): readonly Span[] {
    return this.#models;
  }

  get(id: string): Span | undefined {
    return this.#spans.get(id);
  }

  /** @param langChainId by which `get` finds the span */
  add(span: Span, langChainId: string): void {
    this.#all.push(span);
    this.#spans.set(langChainId, span);
    if (span.kind === "llm") this.#models.push(span);
  }

  /** The model that answered with the message: ids alone will not do, some servers have one for all. */
  modelOf(messageId: string | undefined, text: string): Span | undefined {
    const byText = this.#models.filter(({ returned }) => returned === text);
    const hasId = (model: Span): boolean =>
      messageId !== undefined && model.messageId === messageId;
    return byText.findLast(hasId) ?? byText.at(-1) ?? this.#models.findLast(hasId);
  }

  /** The first candidate's text, for a text that LangChain mixed from several candidates. */
  spokenFor(text: string): string {
    const mixed = this.#models.findLast((model) => model.candidates > 1 && model.returned === text);
    return mixed?.said ?? text;
  }

  /** Whether a tool ran for the call. */
  toolRan(toolCallId: string): boolean {
    return this.#all.some((span) => span.toolCallId === toolCallId);
  }

  /** The newest model that has said something to the readers. */
  get lastSpeaker(): Span | undefined {
    return this.#models.findLast(({ speaks, said }) => speaks && said.trim() !== "");
  }

  /** Whether a node took a model's message out of the state. */
  get hasRemoved(): boolean {
    return this.#models.some(({ isRemoved }) => isRemoved);
  }

  get ranTools(): boolean {
    return this.#all.some(isTool);
  }

  /** The first one: of the bot's own runnable. */
  get root(): Span | undefined {
    return this.#all[0];
  }

  /**
   * Who calls, where LangChain does not say: the innermost open span. Where several work at once, one
   * that is a tool or in one: what is called there is not for readers.
   */
  get probableCaller(): Span | undefined {
    const callers = this.openOnes().filter(({ kind }) => kind !== "llm");
    const isInTool = (span: Span): boolean => isTool(span) || span.outerTool !== undefined;
    return callers.find(isInTool) ?? callers[0] ?? this.root;
  }

  /** The open spans, the inner ones first. */
  openOnes(): Span[] {
    return this.#all.filter((span) => span.open).reverse();
  }
}
