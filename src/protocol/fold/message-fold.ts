/**
 * What a message is made of, folded from its run's events: the answer, and the parts. The server folds
 * each run in progress so, and a token has to cost next to nothing: where it is the same span's as the
 * one before, it is added to what the span has said, and nothing else is done.
 */
import type { ChatEvent } from "../events.ts";
import type { Part, PartOf } from "../parts.ts";
import { AnswerFold, type Said, say } from "./answer-fold.ts";
import { answerSpans } from "./answer-spans.ts";
import type { GrowingText } from "./growing-text.ts";
import { Places } from "./parts/places.ts";
import { SpokenPlace } from "./parts/spoken-place.ts";

export class MessageFold {
  readonly #answer = new AnswerFold();
  readonly #reasoned = new Map<string, GrowingText>();
  readonly #places: Places;
  /** The answer, once the run has ended. */
  #end: string | undefined;
  /** Whether something has come since the parts were read. */
  #changed = false;
  #parts: readonly Part[] = [];
  /** The answer where no span said it. */
  #unsaid: PartOf<"text"> | undefined;

  constructor() {
    this.#places = new Places({ said: this.#answer.said, reasoned: this.#reasoned });
  }

  /** One event of the run, in the log's order. */
  add(event: ChatEvent): void {
    this.#changed = true;
    switch (event.type) {
      case "token":
        this.#places.speaks("text", event.spanId);
        this.#answer.add(event);
        break;
      case "reasoning":
        this.#places.speaks("reasoning", event.spanId);
        say(this.#reasoned, event);
        break;
      case "reset":
        this.#places.add(event);
        this.#answer.add(event);
        this.#reasoned.delete(event.spanId);
        break;
      case "runEnd":
        this.end(event.text);
        break;
      default:
        this.#places.add(event);
        this.#answer.add(event);
    }
  }

  /** @returns the parts of the run that has ended with that answer */
  end(answer: string): readonly Part[] {
    this.#places.stop();
    this.#end = answer;
    this.#changed = true;
    return this.parts;
  }

  get said(): Said {
    return this.#answer.said;
  }

  get reasoned(): Said {
    return this.#reasoned;
  }

  /** The answer so far; the whole of it once the run has ended. */
  get text(): string {
    return this.#end ?? this.#answer.text;
  }

  /** Where the answer so far is that text, it is held as that very string, and not twice. */
  share(text: string): void {
    this.#answer.share(text);
  }

  /** The spans whose text is the answer. None where the bot made the answer of something else. */
  get answerSpans(): readonly string[] {
    if (this.#end !== undefined) return answerSpans(this.#answer, this.#end);
    return this.#answer.speakers;
  }

  /** What the message is made of. The same list, and the same parts, until something changes. */
  get parts(): readonly Part[] {
    if (this.#changed) {
      this.#changed = false;
      const parts = this.#read();
      const before = this.#parts;
      const isSame =
        parts.length === before.length && parts.every((part, at) => part === before[at]);
      if (!isSame) this.#parts = parts;
    }
    return this.#parts;
  }

  #read(): Part[] {
    const speakers = new Set(this.answerSpans);
    const isFinal = (place: SpokenPlace) => place.kind === "text" && speakers.has(place.spanId);
    const all = this.#places.all.filter(
      (place) => !(place instanceof SpokenPlace) || place.text !== "",
    );
    const finals = all.filter((place) => place instanceof SpokenPlace && isFinal(place));
    const parts = all.map((place): Part => {
      if (!(place instanceof SpokenPlace)) return place.part;
      // The two may differ by the blanks around them.
      const isAll = finals.length === 1 && place === finals[0];
      const text = isAll ? (this.#end ?? place.text) : place.text;
      return place.part({ text, isFinal: isFinal(place) });
    });
    const end = this.#end ?? "";
    if (finals.length > 0 || !/\S/.test(end)) return parts;
    if (this.#unsaid?.text !== end) this.#unsaid = { type: "text", text: end, final: true };
    return [...parts, this.#unsaid];
  }
}
