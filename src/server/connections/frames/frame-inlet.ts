/**
 * What one WebSocket sends, in order and no faster than its user may send. A frame is worked on at once, unless
 * the caller is still being authenticated or owes time: for frames, bytes and refused requests, over all their
 * sockets. Then it waits here, and nothing more is read.
 *
 * To stop reading would not do: what was read together with a frame follows in the same turn of the event
 * loop, and a hundred sockets have one turn each before the first is stopped. For the same reason a socket that
 * floods is terminated, and not closed: a second's worth of frames would come before its close frame.
 */
import type { WebSocket } from "ws";

/** The connection that the frames are for. An interface, since a function for each would cost each socket. */
export interface FrameTaker {
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
/** Pings and pongs between two checks of the socket: libraries send one in some seconds. */
const maxControlFrames = 256;

export class FrameInlet {
  readonly #webSocket: WebSocket;
  readonly #taker: FrameTaker;
  #waiting: string[] | undefined;
  #holds = 0;
  #controlFrames = 0;
  #framesTooLate = 0;
  #terminated = false;

  constructor(webSocket: WebSocket, taker: FrameTaker) {
    this.#webSocket = webSocket;
    this.#taker = taker;
    webSocket.on("message", (data, isBinary) => this.#take(data as Buffer, isBinary));
    const count = () => {
      if (++this.#controlFrames > maxControlFrames) this.#terminate();
    };
    webSocket.on("ping", count).on("pong", count);
  }

  /** The socket has closed: drops what waits. */
  closed(): void {
    this.#waiting?.splice(0);
  }

  /** To be called now and then: counts of control frames begin anew. */
  checked(): void {
    this.#controlFrames = 0;
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
    if (this.#terminated) return;
    if (this.#taker.closing) {
      if (++this.#framesTooLate > maxWaitingFrames) this.#terminate();
      return;
    }
    this.#holdWhile(this.#taker.busy());
    const text = isBinary ? "" : String(data);
    if (this.#waiting !== undefined) {
      if (this.#waiting.push(text) > maxWaitingFrames) this.#terminate();
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

  #terminate(): void {
    if (this.#terminated) return;
    this.#terminated = true;
    this.#webSocket.terminate();
  }
}
