/**
 * The answer of one run, folded from its events. While it is made, it is what the newest model span
 * says: the last one in the order of first tokens, without what a `reset` voided. Spans that speak at
 * the same time, as branches do, say it together, a paragraph each. One that has asked for tools stays
 * the newest until another speaks. `runEnd.text` replaces it.
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
  /** Those of the newest round that have not ended. */
  readonly #speaking = new Set<string>();
  #round = 0;
  #end: string | undefined;

  add(event: ChatEvent): void {
    if (this.#end !== undefined) return;
    switch (event.type) {
      case "token":
        if (!this.#said.has(event.spanId)) this.#begin(event.spanId);
        say(this.#said, event);
        break;
      case "reset":
        this.#said.delete(event.spanId);
        this.#speaking.delete(event.spanId);
        break;
      case "llmEnd":
      case "error":
        this.#speaking.delete(event.spanId);
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
    for (const [spanId, { text }] of this.#said) {
      if (newest.length > 0 && !/\S/.test(text)) continue;
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

  #begin(spanId: string): void {
    if (this.#speaking.size === 0) this.#round += 1;
    this.#rounds.set(spanId, this.#round);
    this.#speaking.add(spanId);
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
