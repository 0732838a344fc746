/**
 * What makes the memory log durable: every group of events is one row of one SQLite table, written
 * before anybody reads it. Rows are read again at boot alone, and deleted when their events have left
 * the log (journal/journal-segments.ts).
 */
import type { DatabaseSync } from "node:sqlite";
import type { ArchivedRanges } from "./archive/archived-ranges.ts";
import type { ConversationLog } from "./conversation-log.ts";
import { bootIdentity, WrittenInBoot } from "./journal/boot-identity.ts";
import { Compactor } from "./journal/compactor.ts";
import { JournalSegments, note } from "./journal/journal-segments.ts";
import { OlderEvents, removeLeftOver } from "./journal/older-events.ts";
import { RowInsert } from "./journal/row-insert.ts";
import { type OnDamage, RowReader } from "./journal/row-reader.ts";
import { archivedSections, decodeRow, RowText, type Section } from "./journal/rows.ts";

export interface Journal {
  /** False while groups could not be written; they wait in memory and are tried again. */
  readonly healthy: boolean;
  /** Readers may have seen events of an earlier process that are not in it. */
  readonly mayLackEvents: boolean;
  /** Whether there are rows of an earlier process that `restoreNewest` did not read. */
  readonly hasOlder: boolean;
  /**
   * Writes the conversations' pending entries as one row. `later` when the connection is inside a
   * transaction of somebody else's, which must not take the row down with it.
   */
  write(group: Iterable<ConversationLog>): "done" | "later";
  /** Gives the newest of what an earlier process wrote, in the order in which it was written. */
  restoreNewest(options: RestoreOptions): void;
  /** Reads all that an earlier process wrote of some conversations. To be disposed of. */
  readOlder(
    conversationIds: ReadonlySet<string>,
    signal?: AbortSignal | undefined,
  ): Promise<OlderEvents>;
  /** Nothing older is needed any more, and every run that was cut has been ended. */
  recovered(): void;
  /**
   * Deletes at once what has left the log of these conversations.
   * @returns settles when the file has nothing of it, nor of anything else that was deleted in it
   */
  erase(conversationIds: readonly string[]): Promise<void>;
  /** Events have left the log: deletes what is not needed any more, a while later. */
  compactSoon(): void;
  close(): void;
}

export interface RestoreOptions {
  /** Of the rows that are read. */
  readonly maxBytes: number;
  /** What nobody takes: rows that have nothing else need not be unpacked. */
  readonly archived: ArchivedRanges;
  /** @returns who keeps the events now, if anybody: the rows stay as long as he has them */
  readonly take: (section: Section) => ConversationLog | undefined;
}

export interface SqliteJournalOptions {
  /** Whether the store, which knows the runs, is in a file of its own: this one may be lost alone. */
  readonly apartFromStore?: boolean;
  /** Which start of the machine this is. Default: as the system says. */
  readonly bootId?: string;
  readonly onDamage?: OnDamage | undefined;
}

const retryDelayMs = 500;
/** Characters kept while the disk refuses; beyond it the oldest groups stay in memory alone. */
const maxUnwrittenLength = 64 * 1024 * 1024;
/** Characters after which a group goes on in another row. */
const maxRowLength = 4 * 1024 * 1024;

export class SqliteJournal implements Journal {
  readonly #database: DatabaseSync;
  readonly #insert: RowInsert;
  readonly #rows: RowReader;
  readonly #boot: WrittenInBoot;
  readonly #apart: boolean;
  readonly #segments = new JournalSegments();
  readonly #compactor: Compactor;
  readonly #unwritten: { id: number; row: RowText }[] = [];
  #unwrittenLength = 0;
  /** The first id that this process gives out. */
  readonly #firstId: number;
  #nextId: number;
  #damaged = false;
  /** Whether rows of an earlier process are still needed that nothing in memory stands for. */
  #hasOlder = false;
  /** The first row of an earlier process that something in memory stands for. */
  #oldestId: number;
  #retryTimer: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * @param database a connection to a file in which no other process keeps a journal, with
   *   `secure_delete` if what is erased is to be gone
   */
  constructor(database: DatabaseSync, options: SqliteJournalOptions = {}) {
    this.#database = database;
    removeLeftOver(recoveryFile(database));
    this.#apart = options.apartFromStore ?? false;
    database.exec(
      "create table if not exists journal (id integer primary key, events text not null)",
    );
    this.#insert = new RowInsert(database);
    this.#boot = new WrittenInBoot(database, options.bootId ?? bootIdentity());
    this.#rows = new RowReader(database, (what, cause) => {
      this.#damaged = true;
      options.onDamage?.(what, cause);
    });
    const last = database.prepare("select max(id) as id from journal").get();
    this.#nextId = Number(last?.id ?? 0) + 1;
    this.#firstId = this.#nextId;
    this.#oldestId = this.#firstId;
    this.#compactor = new Compactor({
      database,
      insert: this.#insert,
      segments: this.#segments,
      isReady: () => this.healthy && !this.#hasOlder,
    });
  }

  get healthy(): boolean {
    return this.#unwritten.length === 0;
  }

  get hasOlder(): boolean {
    return this.#hasOlder;
  }

  get mayLackEvents(): boolean {
    return this.#damaged || !(this.#boot.sameBoot ?? !this.#apart);
  }

  write(group: Iterable<ConversationLog>): "done" | "later" {
    if (this.#database.isTransaction) return "later";
    let row = new RowText();
    for (const conversation of group) {
      const { conversationId, pending, lastSeq } = conversation;
      const [first] = pending;
      if (first === undefined) continue;
      const length = row.add(conversationId, pending);
      const segment = this.#segments.row(this.#nextId, length);
      note(segment, conversation, { firstSeq: first.seq, lastSeq, length });
      if (row.length > maxRowLength) {
        this.#enqueue(row);
        row = new RowText();
      }
    }
    if (row.length > 0) this.#enqueue(row);
    // A locked database holds this thread for each try: while it refuses, only the timer tries.
    if (this.#retryTimer === undefined) this.#writeAll();
    return "done";
  }

  restoreNewest({ maxBytes, archived, take }: RestoreOptions): void {
    const from = this.#rows.newest(maxBytes);
    this.#oldestId = from;
    for (const { id, events } of this.#rows.between(from, this.#firstId)) {
      try {
        const unneeded = archivedSections(events, archived);
        if (unneeded !== undefined) {
          const segment = this.#segments.row(id, String(events).length);
          for (const conversationId of unneeded) segment.conversationIds.add(conversationId);
          continue;
        }
        for (const section of decodeRow(events)) {
          const segment = this.#segments.row(id, section.length);
          const { conversationId, firstSeq, length } = section;
          segment.conversationIds.add(conversationId);
          const keeper = take(section);
          const lastSeq = firstSeq + section.events.length - 1;
          if (keeper !== undefined) note(segment, keeper, { firstSeq, lastSeq, length });
        }
      } catch (cause) {
        this.#rows.damaged(id, cause);
      }
    }
    this.#hasOlder = this.#rows.isAnyBefore(from);
  }

  async readOlder(
    conversationIds: ReadonlySet<string>,
    signal?: AbortSignal | undefined,
  ): Promise<OlderEvents> {
    const older = new OlderEvents(recoveryFile(this.#database));
    try {
      await older.read(this.#rows, { to: this.#firstId, conversationIds, signal });
      return older;
    } catch (cause) {
      older[Symbol.dispose]();
      throw cause;
    }
  }

  recovered(): void {
    this.#hasOlder = false;
    try {
      this.#boot.remember();
    } catch {
      // The next start takes numbers far ahead for runs that are cut, which costs nothing.
    }
    this.#compactor.now(this.#oldestId);
  }

  erase(conversationIds: readonly string[]): Promise<void> {
    this.#segments.erase(new Set(conversationIds));
    return this.#compactor.erase();
  }

  compactSoon(): void {
    this.#compactor.soon();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    if (!this.#database.isTransaction) this.#writeAll();
    this.#compactor.close();
    clearTimeout(this.#retryTimer);
  }

  #enqueue(row: RowText): void {
    row.end();
    this.#unwritten.push({ id: this.#nextId++, row });
    this.#unwrittenLength += row.length;
  }

  /** Writes what waits, in order. A full or locked disk leaves the rest for the next try. */
  #writeAll(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    while (this.#unwrittenLength > maxUnwrittenLength) this.#shift();
    for (let next = this.#unwritten[0]; next !== undefined; next = this.#unwritten[0]) {
      try {
        this.#insert.run(next.id, next.row);
      } catch {
        this.#retryTimer = setTimeout(() => this.#retry(), retryDelayMs).unref();
        return;
      }
      this.#shift();
    }
  }

  #retry(): void {
    // Its database may be closed by now, of which the look at it below throws.
    if (this.#closed) return;
    if (this.#database.isTransaction) setImmediate(() => this.#retry());
    else this.#writeAll();
  }

  #shift(): void {
    this.#unwrittenLength -= this.#unwritten.shift()?.row.length ?? 0;
  }
}

/** Where events are sorted at boot that are too many for memory. */
function recoveryFile(database: DatabaseSync): string {
  const location = database.location();
  return location === null ? ":memory:" : `${location}-recovery`;
}
