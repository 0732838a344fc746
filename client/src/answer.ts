import type { ChatEvent } from "./types.ts";

/**
 * A run's answer so far: what its model spans said, in the order in which they first spoke, without
 * what a `reset` voided and without what only led to a tool call. `runEnd` has the whole of it.
 */
export class Answer {
  readonly #spans = new Map<string, string>();
  #whole: string | undefined;

  add(event: ChatEvent): void {
    switch (event.type) {
      case "token":
        this.#spans.set(event.spanId, (this.#spans.get(event.spanId) ?? "") + event.text);
        break;
      case "reset":
        this.#spans.delete(event.spanId);
        break;
      case "llmEnd":
        if (event.toolCalls?.length) this.#spans.delete(event.spanId);
        break;
      case "runEnd":
        this.#whole = event.text;
    }
  }

  get text(): string {
    return this.#whole ?? [...this.#spans.values()].join("");
  }
}

/** Joins the piece to the text before it, if both are pieces of one text. */
export function joined(event: ChatEvent, next: ChatEvent | undefined): ChatEvent | undefined {
  if (event.type !== "token" && event.type !== "reasoning") return undefined;
  if (next?.type !== event.type || next.spanId !== event.spanId) return undefined;
  return { ...event, text: event.text + next.text };
}
