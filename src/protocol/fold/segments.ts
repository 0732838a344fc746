/**
 * The order in which a run's texts, reasonings and tools came. A model that reasons, speaks and reasons
 * again has three segments; models that speak at the same time have one each.
 */
import type { ChatEvent } from "../events.ts";
import type { Said } from "./answer-fold.ts";

export type Segment =
  | { readonly kind: "text" | "reasoning"; readonly spanId: string; readonly text: string }
  | { readonly kind: "tool"; readonly spanId: string };

/** Where a segment begins; it has its span's text up to where the span's next one of its kind does. */
interface Begin {
  readonly kind: Segment["kind"];
  readonly spanId: string;
  /** Characters that the span had said of this kind before. */
  readonly from: number;
}

export class Segments {
  readonly #said: Said;
  readonly #reasoned: Said;
  #begins: Begin[] = [];
  /** What each span said last. */
  readonly #last = new Map<string, Segment["kind"]>();

  constructor(texts: { readonly said: Said; readonly reasoned: Said }) {
    this.#said = texts.said;
    this.#reasoned = texts.reasoned;
  }

  /** Told of an event before its text is added to what the span has said. */
  add(event: ChatEvent): void {
    switch (event.type) {
      case "token":
        this.#say("text", event.spanId);
        break;
      case "reasoning":
        this.#say("reasoning", event.spanId);
        break;
      case "toolStart":
        this.#say("tool", event.spanId);
        break;
      case "reset":
        // What it says from now on begins anew, at the end: an old place would cut the new text up.
        this.#last.delete(event.spanId);
        this.#begins = this.#begins.filter(
          ({ kind, spanId }) => spanId !== event.spanId || kind === "tool",
        );
        break;
    }
  }

  get all(): Segment[] {
    const ends = new Map<string, number>();
    const segments: Segment[] = [];
    // A copy turned round: browsers and runtimes of 2022 have no `toReversed`.
    for (const { kind, spanId, from } of [...this.#begins].reverse()) {
      if (kind === "tool") {
        segments.push({ kind, spanId });
        continue;
      }
      const text = this.#textOf(kind, spanId).slice(from, ends.get(kind + spanId));
      ends.set(kind + spanId, from);
      if (text !== "") segments.push({ kind, spanId, text });
    }
    return segments.reverse();
  }

  #say(kind: Segment["kind"], spanId: string): void {
    if (this.#last.get(spanId) === kind) return;
    this.#last.set(spanId, kind);
    const from = kind === "tool" ? 0 : this.#textOf(kind, spanId).length;
    this.#begins.push({ kind, spanId, from });
  }

  #textOf(kind: "text" | "reasoning", spanId: string): string {
    return (kind === "text" ? this.#said : this.#reasoned).get(spanId)?.text ?? "";
  }
}
