/** Deletes the journal's rows that nobody needs any more: in the background, a few ms at a time. */
import type { DatabaseSync } from "node:sqlite";
import { eraseWal } from "./erase-wal.ts";
import type { Compaction, JournalSegments } from "./journal-segments.ts";
import type { RowInsert } from "./row-insert.ts";
import { RowText } from "./rows.ts";

export interface CompactorOptions {
  /** One connection for others too: nothing is done inside a transaction of theirs. */
  readonly database: DatabaseSync;
  readonly insert: RowInsert;
  readonly segments: JournalSegments;
  /** False while rows wait to be written. */
  readonly isReady: () => boolean;
}

const delayMs = 10_000;
/** So many erasures are one: each waits for the disk. */
const eraseDelayMs = 250;
const sliceMs = 4;
/** Between slices: what is deleted has to reach the disk as well, in the time of those who write. */
const pauseMs = 8;
/** Rows that are deleted at once. */
const rowsAtOnce = 8;

export class Compactor {
  readonly #options: CompactorOptions;
  #timer: NodeJS.Timeout | undefined;
  #pause: NodeJS.Timeout | undefined;
  #due: Iterator<Compaction | undefined> | undefined;
  readonly #erasures: PromiseWithResolvers<void>[] = [];
  /** One at a time: each try holds the thread. */
  #cutting: Promise<void> = Promise.resolve();
  /** Rows before this one are deleted. */
  #firstId = 0;
  #closed = false;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /** A while from now: so many runs leave the log together. */
  soon(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#work();
    }, delayMs).unref();
  }

  /** At once, with all rows before that one. */
  now(firstId: number): void {
    this.#firstId = firstId;
    clearTimeout(this.#pause);
    this.#later();
  }

  /** In a moment, from the first segment on. @returns settles when what was due is in no file any more */
  erase(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const erasure = Promise.withResolvers<void>();
    this.#erasures.push(erasure);
    this.#due = undefined;
    clearTimeout(this.#pause);
    this.#later(eraseDelayMs);
    return erasure.promise;
  }

  /** What is to be erased, is; the rest waits for the next start. Closing the database cuts off its log. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#pause);
    const { database, isReady } = this.#options;
    try {
      this.#due = undefined;
      const isWanted = this.#erasures.length > 0 && isReady() && !database.isTransaction;
      while (isWanted && !this.#isDone());
    } catch {
      // They leave after their retention time.
    }
    for (const { resolve } of this.#erasures.splice(0)) resolve();
  }

  #later(ms: number = pauseMs): void {
    if (!this.#closed) this.#pause = setTimeout(() => this.#work(), ms).unref();
  }

  #finish(): void {
    const erasures = this.#erasures.splice(0);
    if (erasures.length > 0) this.#cutting = this.#cutting.then(() => this.#cutOff(erasures));
  }

  async #cutOff(erasures: readonly PromiseWithResolvers<void>[]): Promise<void> {
    try {
      await eraseWal(this.#options.database);
      for (const { resolve } of erasures) resolve();
    } catch (cause) {
      for (const { reject } of erasures) reject(cause);
    }
  }

  #work(): void {
    clearTimeout(this.#pause);
    const { database, isReady } = this.#options;
    if (!isReady()) {
      this.soon();
      return;
    }
    try {
      if (database.isTransaction) {
        this.#later();
        return;
      }
      const until = performance.now() + sliceMs;
      while (performance.now() < until) {
        if (this.#isDone()) {
          this.#finish();
          return;
        }
      }
    } catch {
      // The rows cost space and nothing else.
      this.#due = undefined;
      this.soon();
      return;
    }
    this.#later();
  }

  /** Does a little. @returns whether nothing is left to be done */
  #isDone(): boolean {
    if (this.#firstId > 0) {
      const old = `select id from journal where id < ? order by id limit ${rowsAtOnce}`;
      const remove = this.#options.database.prepare(`delete from journal where id in (${old})`);
      const { changes } = remove.run(this.#firstId);
      if (Number(changes) < rowsAtOnce) this.#firstId = 0;
      return false;
    }
    this.#due ??= this.#options.segments.due();
    const { done, value } = this.#due.next();
    if (value !== undefined) this.#compact(value);
    if (done === true) this.#due = undefined;
    return done === true;
  }

  /** Writes again what is needed, and deletes the rest, or changes nothing. */
  #compact({ segment, kept }: Compaction): void {
    const { database, insert, segments } = this.#options;
    const text = new RowText();
    for (const { conversation, firstSeq, lastSeq } of kept) {
      text.add(conversation.conversationId, conversation.between(firstSeq, lastSeq));
    }
    const isEmpty = text.length === 0;
    if (!isEmpty) text.end();
    database.exec("begin immediate");
    try {
      database
        .prepare("delete from journal where id >= ? and id < ?")
        .run(segment.firstId, segment.endId);
      if (!isEmpty) insert.run(segment.firstId, text);
      database.exec("commit");
    } catch (cause) {
      if (database.isTransaction) database.exec("rollback");
      throw cause;
    }
    segments.compacted(segment, text.length);
  }
}
