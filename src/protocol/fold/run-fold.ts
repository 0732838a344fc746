/**
 * What one run is, folded from its events: by the server that works on it, by whoever ends it in its
 * place, and by every client that shows it, so that all of them have the same. It does no I/O, keeps
 * what it is given, ignores what it does not know, and never throws. Adding a token takes the same time
 * however long the run is; what is read twice without a change is the same object.
 */
import type { ChatEvent, EventOf } from "../events.ts";
import { AnswerFold, type Said, say } from "./answer-fold.ts";
import { answerSpans } from "./answer-spans.ts";
import type { GrowingText } from "./growing-text.ts";
import { type Segment, Segments } from "./segments.ts";
import type { Span, SpanText } from "./span.ts";
import { SpanTree } from "./span-tree.ts";

export type { Segment } from "./segments.ts";
export type { Span, SpanKind, SpanNote, SpanStatus, SpanText } from "./span.ts";

export class RunFold {
  readonly #answer = new AnswerFold();
  readonly #reasoned = new Map<string, GrowingText>();
  readonly #texts: { readonly said: Said; readonly reasoned: Said };
  readonly #spans: SpanTree;
  readonly #order: Segments;
  #start: EventOf<"runStart"> | undefined;
  #end: EventOf<"runEnd"> | undefined;
  /** Whether something was said or taken back since the lists below were read. */
  #changed = false;
  #steps: readonly SpanText[] = [];
  #reasoning: readonly SpanText[] = [];
  #segments: readonly Segment[] = [];

  constructor() {
    this.#texts = { said: this.#answer.said, reasoned: this.#reasoned };
    this.#spans = new SpanTree(this.#texts);
    this.#order = new Segments(this.#texts);
  }

  /** One event of the run, in the log's order. What comes after `runEnd` is ignored. */
  add(event: ChatEvent): void {
    if (this.#end !== undefined) return;
    this.#order.add(event);
    this.#answer.add(event);
    this.#spans.add(event);
    switch (event.type) {
      case "runStart":
        this.#start ??= event;
        break;
      case "reasoning":
        say(this.#reasoned, event);
        this.#changed = true;
        break;
      case "reset":
        this.#reasoned.delete(event.spanId);
        this.#changed = true;
        break;
      case "token":
      case "toolStart":
        this.#changed = true;
        break;
      case "runEnd":
        this.#end = event;
        this.#changed = true;
        break;
    }
  }

  /** The run's first event, once it has come. */
  get start(): EventOf<"runStart"> | undefined {
    return this.#start;
  }

  /** The run's last event, once it has come: its status, usage and error. */
  get end(): EventOf<"runEnd"> | undefined {
    return this.#end;
  }

  /** The answer so far; the whole of it once the run has ended. */
  get text(): string {
    return this.#answer.text;
  }

  /** The spans whose text is the answer. None where the bot made the answer of something else. */
  get answerSpans(): readonly string[] {
    if (this.#end !== undefined) return answerSpans(this.#answer, this.#end.text);
    return this.#answer.speakers;
  }

  /** What other spans said on the way to the answer, in the order in which they first spoke. */
  get steps(): readonly SpanText[] {
    this.#read();
    return this.#steps;
  }

  /** What models showed of their reasoning, in the order in which they began to. */
  get reasoning(): readonly SpanText[] {
    this.#read();
    return this.#reasoning;
  }

  /** Texts, reasonings and tools in the order in which they came. */
  get segments(): readonly Segment[] {
    this.#read();
    return this.#segments;
  }

  /** What happened inside the run: the outermost spans, with all that is in them. */
  get spans(): readonly Span[] {
    return this.#spans.roots;
  }

  #read(): void {
    if (!this.#changed) return;
    this.#changed = false;
    const answer = new Set(this.answerSpans);
    const { said, reasoned } = this.#texts;
    const steps = listOf(said).filter(({ spanId, text }) => !answer.has(spanId) && /\S/.test(text));
    this.#steps = kept(this.#steps, steps);
    this.#reasoning = kept(this.#reasoning, listOf(reasoned));
    this.#segments = kept(this.#segments, this.#order.all);
  }
}

function listOf(said: Said): SpanText[] {
  return [...said].map(([spanId, { text }]) => ({ spanId, text }));
}

/** The list with the old objects where nothing has changed, and the old list where nothing has at all. */
function kept<T extends SpanText | Segment>(before: readonly T[], now: readonly T[]): readonly T[] {
  const list = now.map((item, index) => {
    const old = before[index];
    return old !== undefined && same(old, item) ? old : item;
  });
  const isSame = list.length === before.length && list.every((item, at) => item === before[at]);
  return isSame ? before : list;
}

function same(a: SpanText | Segment, b: SpanText | Segment): boolean {
  return a.spanId === b.spanId && kindOf(a) === kindOf(b) && textOf(a) === textOf(b);
}

const kindOf = (item: SpanText | Segment) => ("kind" in item ? item.kind : undefined);
const textOf = (item: SpanText | Segment) => ("text" in item ? item.text : undefined);
