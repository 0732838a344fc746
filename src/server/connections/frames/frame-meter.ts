/**
 * Looks at what is read of a WebSocket before ws does, and lets ws have what is no flood. ws makes a few objects of
 * each frame, and keeps those of a message that is not whole: single bytes would cost some hundred times what
 * they are, and all frames of a read are made before anything can stop them. Here they are counted by their
 * headers, and nothing is made of them. A flood gets a close frame that names it, and nothing more is read.
 */
import type { Socket } from "node:net";

/** What is told of what comes on one WebSocket. */
export interface FloodGuard {
  /** What comes is a flood: to close the socket. Nothing more is read of it. */
  flood(reason: string): void;
  /** The bytes that are held of a message that is not whole have changed; 0: there is none. */
  holdPartial(bytes: number): void;
}

/**
 * Pieces of one message, fragments and what is read of one at a time: some of any size, and beyond those as
 * many as have 512 bytes on average. Browsers, proxies and slow links send larger ones.
 */
const smallPieces = 64;
const bytesOfPiece = 512;
/** What ws holds for a piece besides its bytes. */
const overheadBytes = 400;
/** Messages in one read. More requests than the rate limit of a second's would not be in one. */
const maxMessagesPerRead = 1_024;
/** Pings and pongs between two checks of the socket: libraries send one in some seconds. */
const maxControlFrames = 256;

const maskBytes = 4;
const [opcodeBits, lengthBits, topBit] = [0x0f, 0x7f, 0x80];
const firstControlOpcode = 0x08;

export class FrameMeter {
  readonly #guard: FloodGuard;
  #stopped = false;
  #controlFrames = 0;
  /** Between two reads, where the first has ended within it: an idle socket holds none. */
  #partial: PartialMessage | undefined;

  /** To be made when ws has just begun to listen to the socket, and nothing was read. */
  constructor(socket: Socket, guard: FloodGuard) {
    this.#guard = guard;
    const toWebSocket = socket.listeners("data").at(-1);
    if (toWebSocket === undefined) throw new TypeError("ws listens to no data");
    socket.removeListener("data", toWebSocket as () => void);
    socket.on("data", (read: Buffer) => {
      if (this.#stopped) return;
      const flood = this.#count(read);
      if (flood === undefined) toWebSocket.call(socket, read);
      else this.refuse(flood);
    });
  }

  /** Gives ws nothing more, whatever else has come. */
  refuse(reason: string): void {
    if (this.#stopped) return;
    this.closed();
    this.#guard.flood(reason);
  }

  /** The socket has closed, or is about to: ws is given nothing more. */
  closed(): void {
    this.#stopped = true;
    this.#keep(undefined);
  }

  /** To be called now and then: counts of control frames begin anew. */
  checked(): void {
    this.#controlFrames = 0;
  }

  /** @returns what makes it a flood */
  #count(read: Buffer): string | undefined {
    const message = this.#partial ?? new PartialMessage();
    let messages = 0;
    for (let at = 0; at < read.length; ) {
      at = message.read(read, at);
      if (!message.atEndOfFrame) continue;
      if (message.isControl) {
        if (++this.#controlFrames > maxControlFrames) return "too many pings";
      } else if (message.isLastFrame && ++messages > maxMessagesPerRead) {
        return "too many messages at once";
      }
      message.endFrame();
      if (message.hasTooManyPieces) return tooManyPieces;
    }
    if (message.isWithinFrame) message.pieces += 1;
    if (message.hasTooManyPieces) return tooManyPieces;
    this.#keep(message.isPartial ? message : undefined);
    return undefined;
  }

  #keep(message: PartialMessage | undefined): void {
    if (message === undefined && this.#partial === undefined) return;
    this.#partial = message;
    this.#guard.holdPartial(message?.heldBytes ?? 0);
  }
}

/** What is known of the message that is being read, and of its frame. */
class PartialMessage {
  pieces = 0;
  #isFragmented = false;
  #bytes = 0;
  /** Of the frame's header: bytes that were read, the first two, and the length as far as it was read. */
  #headerBytes = 0;
  #first = 0;
  #second = 0;
  #length = 0;
  /** Bytes that the frame's payload still has. */
  #left = 0;

  get isControl(): boolean {
    return (this.#first & opcodeBits) >= firstControlOpcode;
  }

  get isLastFrame(): boolean {
    return (this.#first & topBit) !== 0;
  }

  get atEndOfFrame(): boolean {
    return this.#left === 0 && this.#headerBytes >= 2 && this.#headerBytes === this.#headerLength;
  }

  get isWithinFrame(): boolean {
    return this.#headerBytes > 0;
  }

  get isPartial(): boolean {
    return this.#isFragmented || this.isWithinFrame;
  }

  get hasTooManyPieces(): boolean {
    return this.pieces > smallPieces + this.#bytes / bytesOfPiece;
  }

  get heldBytes(): number {
    return this.#bytes + this.pieces * overheadBytes;
  }

  /** Reads a byte of a header, or a payload as far as it has come. @returns where to go on */
  read(bytes: Buffer, at: number): number {
    if (this.#left === 0) {
      this.#readHeader(bytes[at] ?? 0);
      return at + 1;
    }
    const taken = Math.min(this.#left, bytes.length - at);
    this.#left -= taken;
    if (!this.isControl) this.#bytes += taken;
    return at + taken;
  }

  endFrame(): void {
    this.#headerBytes = 0;
    if (!this.isControl) {
      this.#isFragmented = !this.isLastFrame;
      this.pieces += 1;
    }
    if (!this.#isFragmented) this.pieces = this.#bytes = 0;
  }

  get #lengthEnds(): number {
    const length = this.#second & lengthBits;
    return length === 126 ? 4 : length === 127 ? 10 : 2;
  }

  get #headerLength(): number {
    return this.#lengthEnds + ((this.#second & topBit) === 0 ? 0 : maskBytes);
  }

  #readHeader(byte: number): void {
    const index = this.#headerBytes++;
    if (index === 0) {
      this.#first = byte;
      return;
    }
    if (index === 1) {
      this.#second = byte;
      this.#length = this.#lengthEnds === 2 ? byte & lengthBits : 0;
    } else if (index < this.#lengthEnds) {
      this.#length = this.#length * 256 + byte;
    }
    if (this.#headerBytes === this.#headerLength) this.#left = this.#length;
  }
}

const tooManyPieces = "a message in too many pieces";
