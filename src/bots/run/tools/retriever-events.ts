/** The searches of one run: their start, with what is searched for, and what they found. */
import { documentsOf, queryOf } from "../span-payloads.ts";
import type { Span } from "../span-tree.ts";
import type { SpanWriter } from "../span-writer.ts";

export class RetrieverEvents {
  readonly #writer: SpanWriter;

  constructor(writer: SpanWriter) {
    this.#writer = writer;
  }

  started(span: Span, query: unknown): void {
    if (span.hidden) return;
    this.#writer.emit({
      type: "retrieverStart",
      ...this.#writer.opening(span),
      ...(this.#writer.exposes(span) && { query: queryOf(query) }),
    });
  }

  ended(span: Span, documents: unknown): void {
    const closing = this.#writer.shut(span);
    if (closing === undefined) return;
    const found = this.#writer.exposes(span) && { documents: documentsOf(documents) };
    this.#writer.emit({ type: "retrieverEnd", ...closing, ...found });
  }
}
