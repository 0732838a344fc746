/** Where a model's text or reasoning stands in a message: up to what it does in between. */
import type { PartOf } from "../../parts.ts";
import type { Said } from "../answer-fold.ts";

export class SpokenPlace {
  readonly kind: "text" | "reasoning";
  readonly spanId: string;
  readonly #texts: Said;
  /** Characters that the span had said of this kind before. */
  readonly #from: number;
  #to: number | undefined;
  #part: PartOf<"text" | "reasoning"> | undefined;

  /** @param options.texts what spans have said of this kind, before this place's first piece is added */
  constructor(options: { kind: "text" | "reasoning"; spanId: string; texts: Said }) {
    this.kind = options.kind;
    this.spanId = options.spanId;
    this.#texts = options.texts;
    this.#from = this.#length;
  }

  /** What the span says of this kind from now on has another place. */
  close(): void {
    this.#to ??= this.#length;
  }

  isVoidWith(spanId: string): boolean {
    return this.spanId === spanId;
  }

  /** Empty where all that the span has said is blank: models write line breaks before they call a tool. */
  get text(): string {
    const { text } = this.#texts.get(this.spanId) ?? { text: "" };
    return /\S/.test(text) ? text.slice(this.#from, this.#to) : "";
  }

  /** The same object until something changes. */
  part({ text, isFinal }: { text: string; isFinal: boolean }): PartOf<"text" | "reasoning"> {
    const { kind, spanId } = this;
    const last = this.#part;
    const isSame = last?.text === text && (last.type !== "text" || last.final === isFinal);
    if (last !== undefined && isSame) return last;
    if (kind === "reasoning") this.#part = { type: kind, text, spanId };
    else if (isFinal) this.#part = { type: kind, text, final: true };
    else this.#part = { type: kind, text, final: false, spanId };
    return this.#part;
  }

  get #length(): number {
    return this.#texts.get(this.spanId)?.text.length ?? 0;
  }
}
