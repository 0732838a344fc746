/**
 * Cuts a stream of bytes into server-sent events, without looking into them: an event ends with
 * its blank line. Line ends are LF, CRLF or CR, mixed as they come, and may fall between two
 * reads. Joined together, the events are the bytes that were put in.
 */

/** Bytes on their way, taken out in other pieces than they were put in. */
export interface Pieces {
  /** Bytes that were put in and not taken yet. */
  readonly byteLength: number;
  put(read: Buffer): void;
  /** The next piece, `undefined` until there is one; more than one where that costs nothing. */
  take(enoughBytes?: number): Buffer | undefined;
  /** What is left, once no more bytes will come. */
  rest(): Buffer | undefined;
}

/** Pieces are the reads themselves. */
export class Reads implements Pieces {
  #reads: Buffer[] = [];
  #next = 0;
  byteLength = 0;

  put(read: Buffer): void {
    this.#reads.push(read);
    this.byteLength += read.length;
  }

  take(): Buffer | undefined {
    const read = this.#reads[this.#next];
    if (read === undefined) return undefined;
    this.#next += 1;
    if (this.#next === this.#reads.length) {
      this.#reads = [];
      this.#next = 0;
    }
    this.byteLength -= read.length;
    return read;
  }

  rest(): undefined {
    return undefined;
  }
}

const lf = 0x0a;
const cr = 0x0d;

/** Pieces are events: views of a read, except for an event that several reads brought. */
export class Events implements Pieces {
  readonly #reads = new Reads();
  byteLength = 0;

  /** The read that is being cut. What lies before `#start` has been taken. */
  #read: Buffer | undefined;
  #start = 0;
  /** The next LF and CR in `#read`, its length where there is none, -1 when not looked for. */
  #nextLf = -1;
  #nextCr = -1;

  /** Earlier reads of an event that is not complete yet, and how the last of them ended. */
  #held: Buffer[] = [];
  #heldEnd: "text" | "lineEnd" | "bareCr" = "text";

  put(read: Buffer): void {
    if (read.length === 0) return;
    this.#reads.put(read);
    this.byteLength += read.length;
  }

  take(enoughBytes = 0): Buffer | undefined {
    for (;;) {
      const read = this.#read ?? this.#nextRead();
      if (read === undefined) return undefined;
      const start = this.#start;
      let end = this.#eventEnd(read, start);
      if (end === -1) {
        this.#hold(start === 0 ? read : read.subarray(start));
        this.#read = undefined;
        continue;
      }
      this.#heldEnd = "text";
      if (end - start < enoughBytes) end = this.#furtherEnd(read, end, start + enoughBytes);
      if (end === read.length) this.#read = undefined;
      else this.#start = end;
      const cut = start === 0 && end === read.length ? read : read.subarray(start, end);
      return this.#taken(this.#held.length === 0 ? cut : this.#release(cut));
    }
  }

  rest(): Buffer | undefined {
    return this.#held.length === 0 ? undefined : this.#taken(this.#release(Buffer.alloc(0)));
  }

  #taken(event: Buffer): Buffer {
    this.byteLength -= event.length;
    return event;
  }

  #nextRead(): Buffer | undefined {
    this.#read = this.#reads.take();
    this.#start = 0;
    this.#nextLf = -1;
    this.#nextCr = -1;
    return this.#read;
  }

  /** Where the event that goes on at `from` ends; -1 when that is not in this read. */
  #eventEnd(read: Buffer, from: number): number {
    let at = from;
    if (this.#heldEnd !== "text") {
      if (this.#heldEnd === "bareCr" && read[at] === lf) {
        this.#heldEnd = "lineEnd";
        at += 1;
        if (at === read.length) return -1;
      }
      if (isLineEnd(read[at])) return afterLineEnd(read, at);
    }
    for (;;) {
      const lineEnd = this.#lineEnd(read, at);
      if (lineEnd === read.length) {
        this.#heldEnd = "text";
        return -1;
      }
      at = afterLineEnd(read, lineEnd);
      if (at === read.length) {
        this.#heldEnd = read[at - 1] === cr ? "bareCr" : "lineEnd";
        return -1;
      }
      if (isLineEnd(read[at])) return afterLineEnd(read, at);
    }
  }

  /** The last end of an event that does not begin after `enough`. */
  #furtherEnd(read: Buffer, firstEnd: number, enough: number): number {
    let end = firstEnd;
    while (end < enough && end < read.length) {
      const further = this.#eventEnd(read, end);
      this.#heldEnd = "text";
      if (further === -1) {
        // The event that begins here is searched again, from its start, when its turn comes.
        this.#nextLf = -1;
        this.#nextCr = -1;
        return end;
      }
      end = further;
    }
    return end;
  }

  #lineEnd(read: Buffer, from: number): number {
    if (this.#nextLf < from) this.#nextLf = find(read, lf, from);
    if (this.#nextCr < from) this.#nextCr = find(read, cr, from);
    return Math.min(this.#nextLf, this.#nextCr);
  }

  /** Joins as it goes, so that an event in a million reads is neither kept nor copied as such. */
  #hold(part: Buffer): void {
    this.#held.push(part);
    for (;;) {
      const last = this.#held.at(-1);
      const before = this.#held.at(-2);
      if (last === undefined || before === undefined || last.length < before.length) return;
      this.#held.splice(-2, 2, Buffer.concat([before, last]));
    }
  }

  #release(end: Buffer): Buffer {
    const event = Buffer.concat([...this.#held, end]);
    this.#held = [];
    this.#heldEnd = "text";
    return event;
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === lf || byte === cr;
}

function afterLineEnd(read: Buffer, at: number): number {
  return read[at] === cr && read[at + 1] === lf ? at + 2 : at + 1;
}

function find(read: Buffer, byte: number, from: number): number {
  const at = read.indexOf(byte, from);
  return at === -1 ? read.length : at;
}
