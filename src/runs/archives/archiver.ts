/**
 * Makes the archives of runs when they end, for the store to keep: what the log has of a run, and its
 * `runEnd` as readers receive it. An archive that cannot be made costs its run nothing but the archive:
 * whoever comes late gets the run's start and end, as `following/backfill.ts` says.
 */
import { ArchiveWriter, type CompressedEvents } from "../../log/archive/run-archive.ts";
import { LogEntry } from "../../log/entry.ts";
import type { Run } from "../../store/store.ts";
import { KeyedMutex } from "../lifecycle/keyed-mutex.ts";
import type { RunObserver } from "../observer.ts";
import { type EndFacts, runEndOf } from "../run-events.ts";

export interface ArchiverOptions {
  /** How long events are kept: `Infinity` for good, 0 not at all. */
  readonly keepEventsMs: number;
  readonly observer: Pick<RunObserver, "failed">;
}

/** How a run ended, and where in its log. */
export interface ArchivedEnd extends EndFacts {
  readonly endSeq: number;
  readonly endedAt: string;
}

/** Bytes of what is packed together from which on it waits for its turn. */
const largeBytes = 256 * 1024;

/**
 * Packing takes several times what is packed. Large runs end together, where a server has too many: what
 * is large is packed one at a time.
 */
class PackingTurns {
  readonly #mutex = new KeyedMutex();

  async run<T>(bytes: number, pack: () => Promise<T>): Promise<T> {
    return bytes < largeBytes ? await pack() : await this.#mutex.run("large", pack);
  }
}

export class Archiver {
  readonly #options: ArchiverOptions;
  readonly #turns = new PackingTurns();

  constructor(options: ArchiverOptions) {
    this.#options = options;
  }

  /** @returns undefined where events are not kept, or it could not be made */
  async archive(
    run: Run,
    entries: readonly LogEntry[],
    end: ArchivedEnd,
  ): Promise<CompressedEvents | undefined> {
    // It ended so that the process has memory again, and packing takes more: the log has it for a while.
    if (end.error?.code === "OVERLOADED") return undefined;
    const begun = this.begin(run);
    await begun?.add(entries);
    return await begun?.end(end);
  }

  /** For a run whose events come slice by slice. Undefined where events are not kept. */
  begin(run: Run): BegunArchive | undefined {
    const { keepEventsMs, observer } = this.#options;
    return keepEventsMs > 0 ? new BegunArchive(run, { observer, turns: this.#turns }) : undefined;
  }
}

interface BegunArchiveOptions {
  readonly observer: ArchiverOptions["observer"];
  readonly turns: PackingTurns;
}

/** An archive of which not all is there yet. What goes wrong in it is reported, and it comes to nothing. */
export class BegunArchive {
  readonly #run: Run;
  readonly #options: BegunArchiveOptions;
  #writer: ArchiveWriter | undefined = new ArchiveWriter();
  #begun = false;

  constructor(run: Run, options: BegunArchiveOptions) {
    this.#run = run;
    this.#options = options;
  }

  /** One call at a time. Entries of other runs are passed over. */
  async add(entries: readonly LogEntry[]): Promise<void> {
    const { runId, firstSeq } = this.#run;
    const own = entries.every((entry) => entry.runId === runId)
      ? entries
      : entries.filter((entry) => entry.runId === runId);
    const [first] = own;
    if (first === undefined) return;
    // The log has lost how it began: that is told by the store, and what came after it by nobody.
    if (!this.#begun && first.seq !== firstSeq) this.#writer = undefined;
    this.#begun = true;
    const bytes = own.reduce((sum, entry) => sum + entry.bytes, 0);
    await this.#try(bytes, async (writer) => await writer.add(own));
  }

  /** @param end absent where the run's end is among the entries */
  async end(end?: ArchivedEnd): Promise<CompressedEvents | undefined> {
    if (!this.#begun) return undefined;
    return await this.#try(end?.text.length ?? 0, async (writer) => {
      if (end !== undefined) {
        const event = runEndOf(this.#run, { ...end, at: end.endedAt });
        await writer.add([LogEntry.of(end.endSeq, event)]);
      }
      return await writer.end();
    });
  }

  async #try<T>(
    bytes: number,
    work: (writer: ArchiveWriter) => Promise<T>,
  ): Promise<T | undefined> {
    const writer = this.#writer;
    if (writer === undefined) return undefined;
    const { observer, turns } = this.#options;
    try {
      return await turns.run(bytes, () => work(writer));
    } catch (cause) {
      this.#writer = undefined;
      observer.failed?.("a run's events could not be archived", cause);
      return undefined;
    }
  }
}
