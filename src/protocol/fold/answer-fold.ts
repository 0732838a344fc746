/**
 * The answer of one run, folded from its events. While it is made, it is what the newest model span
 * says: the last one in the order of first tokens, without what a `reset` voided. Spans that speak at
 * the same time, as branches do, say it together, a paragraph each: one begins before the other has
 * spoken, or speaks on after the other has. (A model that nobody reads to its end never ends: that one is
 * open does not say that it speaks.) One that has asked for tools stays the newest until another speaks.
 * `runEnd.text` replaces it.
 */
import type { ChatEvent } from "../events.ts";
import { GrowingText } from "./growing-text.ts";

/** What spans have said, by the span, in the order in which they first spoke. */
export type Said = ReadonlyMap<string, { readonly text: string }>;

/** Between the texts of spans that say the answer together. */
export const betweenSpeakers = "\n\n";

export class AnswerFold {
  readonly #said = new Map<string, GrowingText>();
  /** For each span that has spoken: spans with the same number spoke at the same time. */
  readonly #rounds = new Map<string, number>();
  /** Those that have spoken and not ended: as which one each spoke first. */
  readonly #speaking = new Map<string, number>();
  /** For each that has begun: how many had spoken by then. */
  readonly #begunAfter = new Map<string, number>();
  #spoken = 0;
  #round = 0;
  /** Who said the last token. */
  #latest: string | undefined;
  #end: string | undefined;

  add(event: ChatEvent): void {
    if (this.#end !== undefined) return;
    switch (event.type) {
      case "llmStart":
        this.#begunAfter.set(event.spanId, this.#spoken);
        break;
      case "token":
        if (event.spanId !== this.#latest) this.#speaks(event.spanId);
        say(this.#said, event);
        break;
      case "reset":
        this.#said.delete(event.spanId);
        this.#speaking.delete(event.spanId);
        if (this.#latest === event.spanId) this.#latest = undefined;
        break;
      case "llmEnd":
      case "error":
        this.#speaking.delete(event.spanId);
        this.#begunAfter.delete(event.spanId);
        break;
      case "runEnd":
        this.#end = event.text;
    }
  }

  get said(): Said {
    return this.#said;
  }

  /**
   * The spans that say the answer, in the order in which they first spoke. A blank text takes nothing
   * away from what was said before: models write line breaks before they call a tool.
   */
  get speakers(): readonly string[] {
    let newest: string[] = [];
    let round: number | undefined;
    for (const [spanId, said] of this.#said) {
      // Only of several: to ask for a text joins its pieces.
      if (newest.length > 0 && !/\S/.test(said.text)) continue;
      const own = this.#rounds.get(spanId);
      if (own === round) newest.push(spanId);
      else newest = [spanId];
      round = own;
    }
    return newest;
  }

  get text(): string {
    if (this.#end !== undefined) return this.#end;
    const [first, ...others] = this.speakers.map((spanId) => this.#said.get(spanId)?.text ?? "");
    return others.length === 0 ? (first ?? "") : [first, ...others].join(betweenSpeakers);
  }

  /** Where one span has said that text as the answer, it is held as that very string, and not twice. */
  share(text: string): void {
    const [spanId = "", ...others] = this.speakers;
    if (others.length === 0) this.#said.get(spanId)?.share(text);
  }

  #speaks(spanId: string): void {
    this.#latest = spanId;
    if (!this.#said.has(spanId)) {
      const begun = this.#begunAfter.get(spanId) ?? 0;
      const isTogether = [...this.#speaking.values()].some((spoke) => begun < spoke);
      if (!isTogether) this.#round += 1;
      this.#spoken += 1;
      this.#speaking.set(spanId, this.#spoken);
    }
    this.#rounds.set(spanId, this.#round);
  }
}

export function say(
  said: Map<string, GrowingText>,
  { spanId, text }: { spanId: string; text: string },
): void {
  const whole = said.get(spanId);
  if (whole === undefined) said.set(spanId, new GrowingText(text));
  else whole.add(text);
}
