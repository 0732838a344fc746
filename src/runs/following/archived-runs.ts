/**
 * The archives that readers read at the moment, of all readers of this process together: what they hold
 * is compressed, for a second, and bounded. An archive is unpacked a block at a time, for each reader.
 */
import {
  DamagedArchiveError,
  defaultMaxBlockBytes,
  RunArchive,
} from "../../log/archive/run-archive.ts";
import type { LogEntry } from "../../log/entry.ts";
import type { Store } from "../../store/store.ts";
import type { RunObserver } from "../observer.ts";

export interface ArchivedRunsOptions {
  readonly store: Pick<Store, "archives">;
  readonly observer: Pick<RunObserver, "failed">;
  /** Bytes of all archives that are held; default 8 MiB. One that is larger is held alone. */
  readonly maxBytes?: number | undefined;
  /** Bytes that a run may have. Runs of before may have had more. */
  readonly maxRunBytes?: number | undefined;
}

/** After that long the store is asked again: an archive may have been deleted. */
const freshMs = 1_000;
const defaultMaxBytes = 8 * 1024 * 1024;

interface Held {
  readonly archives: Promise<readonly RunArchive[]>;
  bytes: number;
  readonly expiry: NodeJS.Timeout;
}

export class ArchivedRuns implements Disposable {
  readonly #options: ArchivedRunsOptions;
  readonly #maxBytes: number;
  readonly #maxBlockBytes: number;
  /** Oldest first. */
  readonly #held = new Map<string, Held>();
  #bytes = 0;

  constructor(options: ArchivedRunsOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? defaultMaxBytes;
    // A run's end has its answer once more, and a limit counts characters of which each may be three bytes.
    this.#maxBlockBytes = Math.max(defaultMaxBlockBytes, 4 * (options.maxRunBytes ?? 0));
  }

  /**
   * A run's entries after a number, as many as a reader is given at once.
   * @returns none where the run has no archive, or none that can be read, or nothing after that number
   * @throws LangwireError STORE_UNAVAILABLE
   */
  async after(runId: string, seq: number): Promise<readonly LogEntry[]> {
    const { archives } = this.#held.get(runId) ?? this.#load(runId);
    try {
      for (const archive of await archives) {
        const entries = await archive.after(seq);
        // Who may read this run may not read another.
        if (entries.some((entry) => entry.runId !== runId)) {
          throw new DamagedArchiveError("it has another run's events");
        }
        if (entries.length > 0) return entries;
      }
    } catch (cause) {
      if (!(cause instanceof DamagedArchiveError)) throw cause;
      const what = "the archive of a run cannot be read; its readers get its start and its end";
      this.#options.observer.failed?.(what, Object.assign(cause, { runId }));
    }
    return [];
  }

  /** It was deleted: nobody is given anything of it from now on. */
  forget(runId: string): void {
    const held = this.#held.get(runId);
    if (held === undefined) return;
    clearTimeout(held.expiry);
    this.#held.delete(runId);
    this.#bytes -= held.bytes;
  }

  [Symbol.dispose](): void {
    for (const runId of [...this.#held.keys()]) this.forget(runId);
  }

  #load(runId: string): Held {
    const held: Held = {
      archives: this.#read(runId).then(({ archives, bytes }) => {
        if (this.#held.get(runId) === held) this.#count(held, bytes);
        return archives;
      }),
      bytes: 0,
      expiry: setTimeout(() => this.forget(runId), freshMs).unref(),
    };
    this.#held.set(runId, held);
    // What the store could not answer is not kept as its answer.
    held.archives.catch((cause: unknown) => {
      if (this.#held.get(runId) === held && !(cause instanceof DamagedArchiveError)) {
        this.forget(runId);
      }
    });
    return held;
  }

  async #read(runId: string): Promise<{ archives: readonly RunArchive[]; bytes: number }> {
    const segments = await this.#options.store.archives.get(runId);
    let bytes = 0;
    for (const { events } of segments) bytes += events.byteLength;
    const maxBlockBytes = this.#maxBlockBytes;
    const archives = segments.map(({ events }) => RunArchive.open(events, { maxBlockBytes }));
    return { archives, bytes };
  }

  #count(held: Held, bytes: number): void {
    held.bytes = bytes;
    this.#bytes += bytes;
    for (const [runId, other] of this.#held) {
      if (this.#bytes <= this.#maxBytes) return;
      if (other !== held) this.forget(runId);
    }
  }
}
