/** What one span reported on its way. */
import type { EventOf } from "../events.ts";
import { GrowingText } from "./growing-text.ts";
import type { SpanNote } from "./span.ts";

type Reported = EventOf<"toolProgress" | "toolUpdate" | "text" | "custom">;

export class SpanNotes {
  readonly #notes: SpanNote[] = [];
  /** The text of the last note, while more of it may come. */
  #growing: GrowingText | undefined;
  #sealed: readonly SpanNote[] | undefined = [];

  add(event: Reported): void {
    this.#sealed = undefined;
    switch (event.type) {
      case "toolProgress":
        if (event.text !== undefined && event.data === undefined) this.#grow(event.text);
        else this.#push({ type: "progress", name: "progress", text: event.text, data: event.data });
        break;
      case "toolUpdate":
        this.#push({ type: "progress", name: "progress", data: event.data });
        break;
      case "text":
        this.#push({ type: "text", name: "text", text: event.text });
        break;
      case "custom":
        this.#push({ type: "custom", name: event.name, data: event.data });
        break;
    }
  }

  /** The same list until something is added. */
  get all(): readonly SpanNote[] {
    this.#settle();
    this.#sealed ??= [...this.#notes];
    return this.#sealed;
  }

  #grow(text: string): void {
    if (this.#growing === undefined) {
      this.#push({ type: "progress", name: "progress", text: "" });
      this.#growing = new GrowingText();
    }
    this.#growing.add(text);
  }

  #push(note: SpanNote): void {
    this.#settle();
    this.#growing = undefined;
    this.#notes.push(note);
  }

  /** Gives the last note the text that it has grown to. */
  #settle(): void {
    const last = this.#notes.at(-1);
    const text = this.#growing?.text;
    if (last === undefined || text === undefined || last.text === text) return;
    this.#notes[this.#notes.length - 1] = { ...last, text };
  }
}
