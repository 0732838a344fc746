/**
 * Sends on one WebSocket, in order: short frames at once, a long one in fragments, as fast as the other
 * end takes them. Frames that are sent meanwhile wait behind it; readers ask `ready` before each.
 *
 * A browser shows its page no fragment before the last, so a client cannot tell a slow link from a dead
 * one. A client that asks for it gets a long frame as messages instead: binary ones, whose bytes
 * together are the text, and an empty text message at the end.
 */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Pacer } from "../../../runs/following/pacer.ts";
import { longTextLength, type Outlet, writeInPieces } from "../../pacing/pieces.ts";
import type { Corked, SendingTurn } from "./sending-turn.ts";
import { textFrame } from "./text-frame.ts";

/** Small enough for one to come every second or so on a very slow link. */
const chunkBytes = 4 * 1024;

export interface FrameSenderOptions {
  readonly webSocket: WebSocket;
  readonly socket: Socket;
  readonly pacer: Pacer;
  readonly turn: SendingTurn;
}

/** Writes one frame, or the pieces of one; settles when there is room for the next. */
type Write = () => Promise<void> | undefined;

export class FrameSender implements Pacer, Corked {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #pacer: Pacer;
  readonly #turn: SendingTurn;
  /** Whether long frames are sent as messages of their own. */
  chunked = false;
  #corked = false;
  /** The last turn in which it was sent anything. */
  #turnNumber = -1;
  /** Whether something was still waiting to leave when that turn began. */
  #isBacklogged = false;
  /** Set while a long frame is being sent; settles when it and the frames behind it have left. */
  #sendingLong: Promise<void> | undefined;
  #behind: Write[] = [];

  constructor({ webSocket, socket, pacer, turn }: FrameSenderOptions) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#pacer = pacer;
    this.#turn = turn;
  }

  ready(): Promise<void> | undefined {
    if (this.#sendingLong !== undefined) return this.#sendingLong;
    return this.#socket.writableNeedDrain ? this.#pacer.ready() : undefined;
  }

  send(text: string): void {
    if (text.length > longTextLength) this.sendLong(() => [Buffer.from(text)]);
    else if (this.#sendingLong === undefined) this.#sendShort(text);
    else this.#behind.push(() => this.#sendShort(text));
  }

  /** Sends a frame that `sendsWhole`; other sockets may be sent the same. */
  sendFrame(frame: Buffer): void {
    if (this.#sendingLong === undefined) this.#write(frame);
    else this.#behind.push(() => this.#write(frame));
  }

  /** Whether a frame of that length is sent as one. */
  sendsWhole({ length }: Buffer): boolean {
    return length <= (this.chunked ? chunkBytes : longTextLength);
  }

  /**
   * @param parts called when the frames before it have left
   * @param done called once, when the frame has left or the socket is gone
   */
  sendLong(parts: () => Iterable<Buffer>, done?: () => void): void {
    const write = () => this.#sendParts(parts).finally(done);
    if (this.#sendingLong === undefined) this.#sendingLong = this.#sendAll(write);
    else this.#behind.push(write);
  }

  /** What was sent behind the first frame of a turn of the event loop leaves in one write. */
  uncork(): void {
    this.#corked = false;
    this.#socket.uncork();
  }

  async #sendAll(first: Write): Promise<void> {
    for (let write: Write | undefined = first; write !== undefined; write = this.#behind.shift()) {
      await write();
    }
    this.#sendingLong = undefined;
  }

  #sendShort(text: string): undefined {
    if (this.chunked && isLonger(text, chunkBytes)) {
      this.#cork();
      this.#sendChunks(Buffer.from(text), true);
    } else {
      this.#write(textFrame(text));
    }
  }

  /** Beside ws, which has nothing under way between two messages: it compresses none. */
  #write(frame: Buffer): undefined {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    // Mostly the only one in its turn: to hold it back would cost each socket as much as the rest of its way.
    const { number } = this.#turn;
    if (number === this.#turnNumber) {
      this.#cork();
    } else {
      this.#turnNumber = number;
      this.#isBacklogged = this.#socket.writableLength > 0;
    }
    this.#socket.write(this.#isBacklogged ? unpooled(frame) : frame);
  }

  async #sendParts(parts: () => Iterable<Buffer>): Promise<void> {
    const [webSocket, socket, pacer] = [this.#webSocket, this.#socket, this.#pacer];
    const outlet: Outlet = {
      get gone() {
        return webSocket.readyState !== webSocket.OPEN || socket.destroyed;
      },
      ready: () => pacer.ready(),
      write: (piece, last) => {
        this.#cork();
        if (this.chunked) this.#sendChunks(piece, last);
        else webSocket.send(piece, { binary: false, fin: last });
      },
    };
    if (!outlet.gone) await writeInPieces(parts(), outlet);
  }

  #sendChunks(piece: Buffer, last: boolean): void {
    for (let start = 0; start < piece.length; start += chunkBytes) {
      this.#webSocket.send(piece.subarray(start, start + chunkBytes), { binary: true });
    }
    if (last) this.#webSocket.send("");
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    this.#turn.add(this);
  }
}

/**
 * Bytes of their own, for a frame that has to wait. Node.js cuts short buffers out of slabs of 64 KiB, of which each
 * frame in a backlog would keep another one, where other sockets are sent much in between: 400 times its length.
 */
function unpooled(frame: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(frame.length);
  frame.copy(copy);
  return copy;
}

/** Whether the text is longer in UTF-8, of which a character takes three bytes at most. */
function isLonger(text: string, bytes: number): boolean {
  if (text.length * 3 <= bytes) return false;
  return text.length > bytes || Buffer.byteLength(text) > bytes;
}
