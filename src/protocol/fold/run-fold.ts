/**
 * What one run is, folded from its events: by the server that works on it, by whoever ends it in its
 * place, and by every client that shows it, so that all of them have the same. It does no I/O, keeps
 * what it is given, ignores what it does not know, and never throws. Adding a token takes the same time
 * however long the run is; what is read twice without a change is the same object.
 */
import type { ChatEvent, EventOf, Json } from "../events.ts";
import type { Part } from "../parts.ts";
import { MessageFold } from "./message-fold.ts";
import { type BotState, reasoningIn, stateIn, stepsIn } from "./of-parts.ts";
import type { Span, SpanText } from "./span.ts";
import { SpanTree } from "./span-tree.ts";

export type { BotState } from "./of-parts.ts";
export type { Span, SpanKind, SpanNote, SpanStatus, SpanText } from "./span.ts";

export class RunFold {
  readonly #message = new MessageFold();
  readonly #spans = new SpanTree(this.#message);
  #start: EventOf<"runStart"> | undefined;
  #end: EventOf<"runEnd"> | undefined;
  #output: EventOf<"output"> | undefined;
  /** The parts of which the rest was read. */
  #seen: readonly Part[] = [];
  #steps: readonly SpanText[] = [];
  #reasoning: readonly SpanText[] = [];
  #state: BotState = {};
  #stateChanged = false;

  /** One event of the run, in the log's order. What comes after `runEnd` is ignored. */
  add(event: ChatEvent): void {
    if (this.#end !== undefined) return;
    this.#message.add(event);
    this.#spans.add(event);
    switch (event.type) {
      case "runStart":
        this.#start ??= event;
        break;
      case "output":
        this.#output = event;
        break;
      case "state":
        this.#stateChanged = true;
        break;
      case "reset":
        if (this.#output?.spanId === event.spanId) this.#output = undefined;
        break;
      case "runEnd":
        this.#end = event;
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
    return this.#message.text;
  }

  /**
   * What the message is made of, in the order in which it came: what the history has of it once the run
   * has ended.
   */
  get parts(): readonly Part[] {
    return this.#message.parts;
  }

  /** What a typed bot answers: as far as it is made; checked, once the run has ended. */
  get output(): Json | undefined {
    return this.#end === undefined ? this.#output?.value : this.#end.output;
  }

  /** What the bot reports of its state, by channel. */
  get state(): BotState {
    this.#read();
    return this.#state;
  }

  /** The spans whose text is the answer. None where the bot made the answer of something else. */
  get answerSpans(): readonly string[] {
    return this.#message.answerSpans;
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

  /** What happened inside the run: the outermost spans, with all that is in them. */
  get spans(): readonly Span[] {
    return this.#spans.roots;
  }

  #read(): void {
    const { parts } = this.#message;
    if (parts === this.#seen) return;
    this.#seen = parts;
    this.#steps = kept(this.#steps, stepsIn(parts));
    this.#reasoning = kept(this.#reasoning, reasoningIn(parts));
    if (!this.#stateChanged) return;
    this.#stateChanged = false;
    this.#state = stateIn(parts);
  }
}

/** The list with the old objects where nothing has changed, and the old list where nothing has at all. */
function kept(before: readonly SpanText[], now: readonly SpanText[]): readonly SpanText[] {
  const list = now.map((item, index) => {
    const old = before[index];
    return old?.spanId === item.spanId && old.text === item.text ? old : item;
  });
  const isSame = list.length === before.length && list.every((item, at) => item === before[at]);
  return isSame ? before : list;
}
