/**
 * The answer of a run in progress, folded from its events: the tokens of every model span in the
 * order in which the spans first spoke, without those that a `reset` voided and without those that
 * only led to a tool call. `runEnd.text` replaces it.
 */
import type { ChatEvent } from "./events.ts";

/** Tokens after which a span's text is joined: a string grown by `+=` keeps each part for itself. */
const tokensKeptApart = 256;

export class AnswerFold {
  readonly #spans = new Map<string, string[]>();

  add(event: ChatEvent): void {
    switch (event.type) {
      case "token":
        this.#speak(event.spanId, event.text);
        break;
      case "reset":
        this.#spans.delete(event.spanId);
        break;
      case "llmEnd":
        if (event.toolCalls !== undefined && event.toolCalls.length > 0) {
          this.#spans.delete(event.spanId);
        }
        break;
    }
  }

  get text(): string {
    return [...this.#spans.values()].flat().join("");
  }

  #speak(spanId: string, text: string): void {
    const parts = this.#spans.get(spanId);
    if (parts === undefined) this.#spans.set(spanId, ["", text]);
    else if (parts.push(text) > tokensKeptApart) {
      const whole = parts.shift() ?? "";
      this.#spans.set(spanId, [whole + parts.join("")]);
    }
  }
}
