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

export interface FrameInletOptions {
  readonly webSocket: WebSocket;
  /** Settles when the other end has taken what was sent; undefined: it has. */
  readonly busy: () => Promise<void> | undefined;
  /** Settles when the next frame may be worked on; undefined: at once. */
  readonly owed: () => Promise<void> | undefined;
  /** Counts what was received. */
  readonly charge: (bytes: number) => void;
  /** Whether the socket is about to close, and takes no more calls. */
  readonly closing: () => boolean;
  /** One frame; a binary one comes as an empty text. */
  readonly receive: (text: string) => void;
}

/** What a frame costs besides its length, in bytes: a million small ones a second would hold the thread. */
const bytesOfFrame = 256;
/** Frames that may wait, or come behind a close: a client that comes back sends all that it has in one. */
const maxWaitingFrames = 256;
/** Pings and pongs between two checks of the socket: libraries send one in some seconds. */
const maxControlFrames = 256;

export class FrameInlet {
  readonly #options: FrameInletOptions;
  #waiting: string[] | undefined;
  #holds = 0;
  #controlFrames = 0;
  #framesTooLate = 0;
  #terminated = false;

  constructor(options: FrameInletOptions) {
    this.#options = options;
    const { webSocket } = options;
    webSocket.on("message", (data, isBinary) => this.#take(data as Buffer, isBinary));
    for (const type of ["ping", "pong"] as const) {
      webSocket.on(type, () => {
        if (++this.#controlFrames > maxControlFrames) this.#terminate();
      });
    }
    webSocket.on("close", () => this.#waiting?.splice(0));
  }

  /** To be called now and then: counts of control frames begin anew. */
  checked(): void {
    this.#controlFrames = 0;
  }

  /** Pauses reading. @returns resumes it, once everybody who has paused it does */
  holdReading(): () => void {
    const { webSocket } = this.#options;
    this.#holds += 1;
    webSocket.pause();
    return () => {
      this.#holds -= 1;
      if (this.#holds === 0) webSocket.resume();
    };
  }

  #take(data: Buffer, isBinary: boolean): void {
    const { busy, owed, closing } = this.#options;
    if (this.#terminated) return;
    if (closing()) {
      if (++this.#framesTooLate > maxWaitingFrames) this.#terminate();
      return;
    }
    this.#holdWhile(busy());
    const text = isBinary ? "" : String(data);
    if (this.#waiting !== undefined) {
      if (this.#waiting.push(text) > maxWaitingFrames) this.#terminate();
      return;
    }
    const first = owed();
    if (first === undefined) {
      this.#work(text);
      return;
    }
    this.#waiting = [text];
    void this.#workOff(first, this.#waiting);
  }

  async #workOff(first: Promise<void>, waiting: string[]): Promise<void> {
    const { owed } = this.#options;
    const release = this.holdReading();
    await first;
    while (waiting.length > 0) {
      // Others of the user's sockets have been waiting for the same moment.
      const more = owed();
      if (more === undefined) this.#work(waiting.shift() ?? "");
      else await more;
    }
    this.#waiting = undefined;
    release();
  }

  #work(text: string): void {
    const { charge, receive } = this.#options;
    charge(text.length + bytesOfFrame);
    receive(text);
  }

  #holdWhile(busy: Promise<void> | undefined): void {
    if (busy === undefined || this.#options.webSocket.isPaused) return;
    const release = this.holdReading();
    busy.then(release, release);
  }

  #terminate(): void {
    if (this.#terminated) return;
    this.#terminated = true;
    this.#options.webSocket.terminate();
  }
}
