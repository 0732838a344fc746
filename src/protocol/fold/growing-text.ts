/** A text that grows by small pieces, thousands of them, and is read now and then. */

/** Pieces after which they are joined: a string grown by `+=` keeps each piece for itself. */
const maxPiecesApart = 256;

export class GrowingText {
  #whole: string;
  #pieces: string[] = [];

  constructor(text = "") {
    this.#whole = text;
  }

  add(piece: string): void {
    if (this.#pieces.push(piece) > maxPiecesApart) this.#join();
  }

  /** Read again without a change, it is the same string and costs nothing. */
  get text(): string {
    if (this.#pieces.length > 0) this.#join();
    return this.#whole;
  }

  #join(): void {
    this.#whole += this.#pieces.join("");
    this.#pieces = [];
  }
}
