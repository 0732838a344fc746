/**
 * Long events as bytes: made piece by piece for a single reader, once for all who are being sent the same one
 * together, and dropped with the last of them. While together they are over a limit, readers who take nothing are cut; their clients
 * reconnect and resume.
 */
import type { LogEntry } from "../../log/entry.ts";
import type { Holder } from "./stall-clock.ts";

/** Limit of all texts together, each counted once. */
const maxBytes = 64 * 1024 * 1024;
/** How long a reader may take nothing while the texts are over the limit. */
const maxStallMs = 5_000;
const checkEveryMs = 1_000;

interface LongText {
  readonly length: number;
  /** Once there is a second reader. */
  bytes: Buffer | undefined;
  /** One for each time that it is being sent: two subscriptions of one connection have it twice. */
  readonly holds: Set<Hold>;
}

interface Hold {
  readonly holder: Holder;
}

export interface HeldText {
  readonly pieces: Iterable<Buffer>;
  /** To be called once. */
  release(): void;
}

export class LongTexts {
  /** By run, number and length: an event of the log and its backfill from the store may differ. */
  readonly #texts = new Map<string, LongText>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Bytes that are held, each text once. */
  get bytes(): number {
    return this.#bytes;
  }

  hold(entry: LogEntry, holder: Holder): HeldText {
    const { runId, seq, jsonBytes } = entry;
    const key = `${runId} ${seq} ${jsonBytes}`;
    const text = this.#texts.get(key) ?? this.#add(key, jsonBytes);
    if (text.holds.size > 0) text.bytes ??= Buffer.from(entry.json);
    const hold: Hold = { holder };
    text.holds.add(hold);
    return {
      pieces: text.bytes === undefined ? encoded(entry.jsonPieces()) : [text.bytes],
      release: () => {
        text.holds.delete(hold);
        if (text.holds.size === 0 && this.#texts.delete(key)) this.#bytes -= text.length;
      },
    };
  }

  #add(key: string, length: number): LongText {
    const text = { length, bytes: undefined, holds: new Set<Hold>() };
    this.#texts.set(key, text);
    this.#bytes += length;
    if (this.#bytes > maxBytes)
      this.#timer ??= setInterval(() => this.#cutStalled(), checkEveryMs).unref();
    return text;
  }

  #cutStalled(): void {
    let over = this.#bytes - maxBytes;
    if (over <= 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    for (const { length, holds } of this.#texts.values()) {
      // Reads the clock of every holder, also of those that are not cut: it measures between readings.
      const stalled = [...holds].filter(({ holder }) => holder.stalledMs() >= maxStallMs);
      if (over <= 0 || stalled.length < holds.size) continue;
      over -= length;
      for (const { holder } of stalled) holder.cut();
    }
  }
}

function* encoded(pieces: Iterable<string>): Generator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece);
}
