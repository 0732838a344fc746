/**
 * Buffers in which a text is made that is written or packed at once, used again and again: V8 notices late what
 * buffers hold that nobody needs any more.
 */

/** A longer one is not kept. */
const keptMaxBytes = 2 * 1024 * 1024;
const leastBytes = 64 * 1024;
/** Of UTF-8, for a UTF-16 code unit. */
const maxBytesPerUnit = 3;

export class Scratch {
  /** The longest that is kept and not in use. */
  #spare: Buffer | undefined;

  /** To be given back when nobody reads from it any more. */
  take(): ScratchText {
    const buffer = this.#spare ?? Buffer.allocUnsafeSlow(leastBytes);
    this.#spare = undefined;
    return new ScratchText(buffer, (last) => {
      const isLonger = last.length > (this.#spare?.length ?? 0);
      if (isLonger && last.length <= keptMaxBytes) this.#spare = last;
    });
  }
}

/** UTF-8 in a buffer that grows. */
export class ScratchText {
  #buffer: Buffer;
  #length = 0;
  readonly #giveBack: (buffer: Buffer) => void;

  constructor(buffer: Buffer, giveBack: (buffer: Buffer) => void) {
    this.#buffer = buffer;
    this.#giveBack = giveBack;
  }

  write(piece: string): void {
    const most = this.#length + piece.length * maxBytesPerUnit;
    if (most > this.#buffer.length) this.#makeRoom(this.#length + Buffer.byteLength(piece));
    this.#length += this.#buffer.write(piece, this.#length);
  }

  /** What was written, until it is given back. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  [Symbol.dispose](): void {
    this.#giveBack(this.#buffer);
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const longer = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#buffer.length));
    this.#buffer.copy(longer, 0, 0, this.#length);
    this.#buffer = longer;
  }
}
