/**
 * What one WebSocket sends, in order and no faster than its user may send. A frame is worked on at once, unless
 * the caller is still being authenticated or owes time: for frames, bytes and refused requests, over all their
 * sockets. Then it waits here, and nothing more is read.
 *
 * To stop reading would not do: what was read together with a frame follows in the same turn of the event
 * loop, and a hundred sockets have one turn each before the first is stopped. A socket that floods is closed by
 * name, and its meter gives ws nothing more: a second's worth of frames would come before its close frame.
 */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { type FloodGuard, FrameMeter } from "./frame-meter.ts";

/** The connection that the frames are for. An interface, since a function for each would cost each socket. */
export interface FrameTaker extends FloodGuard {
  /** Settles when the other end has taken what was sent; undefined: it has. */
  busy(): Promise<void> | undefined;
  /** Settles when the next frame may be worked on; undefined: at once. */
  owed(): Promise<void> | undefined;
  /** Counts what was received. */
  charge(bytes: number): void;
  /** Whether the socket is about to close, and takes no more calls. */
  readonly closing: boolean;
  /** One frame; a binary one comes as an empty text. */
  receive(text: string): void;
}

/** What a frame costs besides its length, in bytes: a million small ones a second would hold the thread. */
const bytesOfFrame = 256;
/** Frames that may wait, or come behind a close: a client that comes back sends all that it has in one. */
const maxWaitingFrames = 256;

export class FrameInlet {
  readonly #webSocket: WebSocket;
  readonly #taker: FrameTaker;
  readonly #meter: FrameMeter;
  #waiting: string[] | undefined;
  #holds = 0;
  #framesTooLate = 0;
  #flooded = false;

  constructor(webSocket: WebSocket, { socket, taker }: { socket: Socket; taker: FrameTaker }) {
    this.#webSocket = webSocket;
    this.#taker = taker;
    this.#meter = new FrameMeter(socket, taker);
    webSocket.on("message", (data, isBinary) => this.#take(data as Buffer, isBinary));
  }

  /** The socket has closed: drops what waits. */
  closed(): void {
    this.#waiting?.splice(0);
    this.#meter.closed();
  }

  /** To be called now and then: counts of control frames begin anew. */
  checked(): void {
    this.#meter.checked();
  }

  /** Pauses reading. @returns resumes it, once everybody who has paused it does */
  holdReading(): () => void {
    this.#holds += 1;
    this.#webSocket.pause();
    return () => {
      this.#holds -= 1;
      if (this.#holds === 0) this.#webSocket.resume();
    };
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (this.#flooded) return;
    if (this.#taker.closing) {
      if (++this.#framesTooLate > maxWaitingFrames) this.#refuse();
      return;
    }
    this.#holdWhile(this.#taker.busy());
    const text = isBinary ? "" : String(data);
    if (this.#waiting !== undefined) {
      if (this.#waiting.push(text) > maxWaitingFrames) this.#refuse();
      return;
    }
    const first = this.#taker.owed();
    if (first === undefined) {
      this.#work(text);
      return;
    }
    this.#waiting = [text];
    void this.#workOff(first, this.#waiting);
  }

  async #workOff(first: Promise<void>, waiting: string[]): Promise<void> {
    const release = this.holdReading();
    await first;
    while (waiting.length > 0) {
      // Others of the user's sockets have been waiting for the same moment.
      const more = this.#taker.owed();
      if (more === undefined) this.#work(waiting.shift() ?? "");
      else await more;
    }
    this.#waiting = undefined;
    release();
  }

  #work(text: string): void {
    this.#taker.charge(text.length + bytesOfFrame);
    this.#taker.receive(text);
  }

  #holdWhile(busy: Promise<void> | undefined): void {
    if (busy === undefined || this.#webSocket.isPaused) return;
    const release = this.holdReading();
    busy.then(release, release);
  }

  /** What else was read together with this still comes, and is dropped. */
  #refuse(): void {
    this.#flooded = true;
    this.#meter.refuse("messages faster than the caller may send");
  }
}
