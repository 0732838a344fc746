/**
 * What all sockets of a server are sent in one turn of the event loop. An event's frame is made once for all the
 * subscriptions that have the same id, and dropped with the turn.
 */
import type { LogEntry } from "../../../log/entry.ts";
import { eventFrame } from "./outgoing-frames.ts";
import { textFrame } from "./text-frame.ts";

/** Holds back what it is sent until the turn is over, so that it leaves in one write. */
export interface Corked {
  uncork(): void;
}

/** An event's frames: the first, which most often is all there are, and those of other heads. */
interface EventFrames {
  readonly head: string;
  readonly frame: Buffer;
  others: Map<string, Buffer> | undefined;
}

export class SendingTurn {
  readonly #corked: Corked[] = [];
  #frames = new Map<LogEntry, EventFrames>();
  #number = 0;
  #ends = false;

  /** Another one in each turn of which it is asked. */
  get number(): number {
    this.#endSoon();
    return this.#number;
  }

  /** To be called once in a turn for each socket that is corked. */
  add(socket: Corked): void {
    this.#corked.push(socket);
    this.#endSoon();
  }

  /** An event after a subscription's head. */
  frameOf(head: string, entry: LogEntry): Buffer {
    const made = this.#frames.get(entry);
    if (made === undefined) {
      const frame = textFrame(eventFrame(head, entry));
      this.#frames.set(entry, { head, frame, others: undefined });
      this.#endSoon();
      return frame;
    }
    if (made.head === head) return made.frame;
    made.others ??= new Map();
    const other = made.others.get(head) ?? textFrame(eventFrame(head, entry));
    made.others.set(head, other);
    return other;
  }

  #endSoon(): void {
    if (this.#ends) return;
    this.#ends = true;
    process.nextTick(this.#end);
  }

  readonly #end = (): void => {
    this.#ends = false;
    this.#number += 1;
    // A new one, not `clear`: V8's cleared table points to the one after it, and a first that is old keeps them all.
    this.#frames = new Map();
    if (this.#corked.length === 0) return;
    for (const socket of this.#corked) socket.uncork();
    this.#corked.length = 0;
  };
}
