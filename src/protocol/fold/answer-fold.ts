/**
 * The answer of one run, folded from its events. While it is made, it is what the newest model span
 * says: the last one in the order of first tokens, without what a `reset` voided. One that has asked
 * for tools stays the newest until another speaks. `runEnd.text` replaces it.
 */
import type { ChatEvent } from "../events.ts";
import { GrowingText } from "./growing-text.ts";

/** What spans have said, by the span, in the order in which they first spoke. */
export type Said = ReadonlyMap<string, { readonly text: string }>;

export class AnswerFold {
  readonly #said = new Map<string, GrowingText>();
  #end: string | undefined;

  add(event: ChatEvent): void {
    if (this.#end !== undefined) return;
    switch (event.type) {
      case "token":
        say(this.#said, event);
        break;
      case "reset":
        this.#said.delete(event.spanId);
        break;
      case "runEnd":
        this.#end = event.text;
    }
  }

  get said(): Said {
    return this.#said;
  }

  get text(): string {
    return this.#end ?? this.#said.get(newestSpeaker(this.#said) ?? "")?.text ?? "";
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

/**
 * The span that speaks last. A blank text takes nothing away from what was said before: models write
 * line breaks before they call a tool.
 */
export function newestSpeaker(said: Said): string | undefined {
  let newest: string | undefined;
  for (const [spanId, { text }] of said) {
    if (newest === undefined || /\S/.test(text)) newest = spanId;
  }
  return newest;
}
