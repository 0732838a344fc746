/** A text that grows by small pieces, thousands of them, and is read now and then. */

/** Pieces after which they are joined: a string grown by `+=` keeps each piece for itself. */
const maxPiecesApart = 256;
/** Characters from which a piece is better left as it is: whoever gave it holds it too, and joined it would be there twice. */
const longPieceLength = 1024;

export class GrowingText {
  #whole: string;
  #pieces: string[] = [];
  #pieceLength = 0;
  /** Pieces at which they are looked at. */
  #joinedAt = maxPiecesApart;

  constructor(text = "") {
    this.#whole = text;
  }

  add(piece: string): void {
    this.#pieceLength += piece.length;
    if (this.#pieces.push(piece) > this.#joinedAt) this.#joinSmall();
  }

  /** Read again without a change, it is the same string and costs nothing. */
  get text(): string {
    if (this.#pieces.length > 0) this.#join();
    return this.#whole;
  }

  /** Where it is the same text, it holds that very string, which somebody else has made, and never joins its pieces. */
  share(text: string): void {
    let at = this.#whole.length;
    if (at + this.#pieceLength !== text.length || !text.startsWith(this.#whole)) return;
    for (const piece of this.#pieces) {
      if (!text.startsWith(piece, at)) return;
      at += piece.length;
    }
    this.#hold(text);
  }

  #joinSmall(): void {
    if (this.#pieceLength < longPieceLength * this.#pieces.length) this.#join();
    else this.#joinedAt = this.#pieces.length + maxPiecesApart;
  }

  #join(): void {
    this.#hold(this.#whole + this.#pieces.join(""));
  }

  #hold(whole: string): void {
    this.#whole = whole;
    this.#pieces = [];
    this.#pieceLength = 0;
    this.#joinedAt = maxPiecesApart;
  }
}
