/**
 * Long events as bytes: made once for all readers who are being sent one, and gone with the last of
 * them. When together they come to more than there is room for, readers who take nothing are cut;
 * they come back and read on.
 */
import type { LogEntry } from "../../log/entry.ts";
import type { Holder } from "./stall-clock.ts";

/** Bytes of different texts that may be held for readers. */
const maxBytes = 64 * 1024 * 1024;
/** How long a reader may take nothing while there is no room. */
const patienceMs = 5_000;
const lookEveryMs = 1_000;

interface LongText {
  readonly bytes: Buffer;
  readonly holders: Set<Holder>;
}

export interface HeldText {
  readonly bytes: Buffer;
  /** Once. */
  release(): void;
}

export class LongTexts {
  /** By run, number and length: the log and the store may tell one event in two ways. */
  readonly #texts = new Map<string, LongText>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Bytes that are held, each text once. */
  get bytes(): number {
    return this.#bytes;
  }

  hold(entry: LogEntry, holder: Holder): HeldText {
    const { json, runId, seq } = entry;
    const key = `${runId} ${seq} ${json.length}`;
    const text = this.#texts.get(key) ?? this.#add(key, json);
    text.holders.add(holder);
    return {
      bytes: text.bytes,
      release: () => {
        text.holders.delete(holder);
        if (text.holders.size === 0 && this.#texts.delete(key)) this.#bytes -= text.bytes.length;
      },
    };
  }

  #add(key: string, json: string): LongText {
    const text = { bytes: Buffer.from(json), holders: new Set<Holder>() };
    this.#texts.set(key, text);
    this.#bytes += text.bytes.length;
    if (this.#bytes > maxBytes)
      this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref();
    return text;
  }

  #look(): void {
    let over = this.#bytes - maxBytes;
    if (over <= 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    for (const { bytes, holders } of this.#texts.values()) {
      // All of them are looked at, so that each has been by the next time.
      const stalled = [...holders].filter((holder) => holder.stalledMs() >= patienceMs);
      if (over <= 0 || stalled.length < holders.size) continue;
      over -= bytes.length;
      for (const holder of stalled) holder.cut();
    }
  }
}
