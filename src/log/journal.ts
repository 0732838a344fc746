/**
 * What makes the memory log durable: every group of events is one row of one SQLite table, written
 * before anybody reads it, and read again at boot alone.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ConversationLog } from "./conversation-log.ts";

export interface JournalledEntry {
  readonly conversationId: string;
  readonly seq: number;
  readonly json: string;
}

/** Keeps rows from being pruned until it is released. */
export interface JournalPin {
  release(): void;
}

export interface Journal {
  /** False while groups could not be written; they wait in memory and are tried again. */
  readonly healthy: boolean;
  /**
   * Writes the conversations' pending entries as one row. `later` when the connection is inside a
   * transaction of somebody else's, which must not take the row down with it.
   */
  write(group: Iterable<ConversationLog>): "done" | "later";
  pin(from: "now" | "start"): JournalPin;
  /** Everything kept, in the order in which it was written. */
  restore(): Iterable<JournalledEntry>;
  close(): void;
}

/** A group in a row: for each conversation its id, its first entry's number, its entries. */
type Row = [conversationId: string, firstSeq: number, events: unknown[]][];

const pruneDelayMs = 10_000;
const retryDelayMs = 500;
/** Characters kept while the disk refuses; beyond it the oldest groups stay in memory alone. */
const maxUnwrittenLength = 64 * 1024 * 1024;

export class SqliteJournal implements Journal {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #pins = new Set<{ readonly id: number }>();
  readonly #unwritten: { id: number; row: string }[] = [];
  #unwrittenLength = 0;
  #nextId: number;
  #retryTimer: NodeJS.Timeout | undefined;
  #pruneTimer: NodeJS.Timeout | undefined;

  /** @param database a connection to a file in which no other process keeps a journal */
  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(
      "create table if not exists journal (id integer primary key, events text not null)",
    );
    this.#insert = database.prepare("insert into journal (id, events) values (?, ?)");
    const last = database.prepare("select max(id) as id from journal").get();
    this.#nextId = Number(last?.id ?? 0) + 1;
  }

  get healthy(): boolean {
    return this.#unwritten.length === 0;
  }

  write(group: Iterable<ConversationLog>): "done" | "later" {
    if (this.#database.isTransaction) return "later";
    const row = encodeRow(group);
    this.#unwritten.push({ id: this.#nextId++, row });
    this.#unwrittenLength += row.length;
    // A locked database holds this thread for each try: while it refuses, only the timer tries.
    if (this.#retryTimer === undefined) this.#writeAll();
    return "done";
  }

  pin(from: "now" | "start"): JournalPin {
    const pin = { id: from === "start" ? 0 : this.#nextId };
    this.#pins.add(pin);
    return {
      release: () => {
        this.#pins.delete(pin);
        this.#pruneTimer ??= setTimeout(() => this.#prune(), pruneDelayMs).unref();
      },
    };
  }

  *restore(): Generator<JournalledEntry> {
    for (const row of this.#database.prepare("select events from journal order by id").all()) {
      for (const [conversationId, firstSeq, events] of JSON.parse(String(row.events)) as Row) {
        for (const [index, event] of events.entries()) {
          yield { conversationId, seq: firstSeq + index, json: JSON.stringify(event) };
        }
      }
    }
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#pruneTimer);
    if (!this.#database.isTransaction) this.#writeAll();
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
    if (this.#database.isTransaction) setImmediate(() => this.#retry());
    else this.#writeAll();
  }

  #shift(): void {
    this.#unwrittenLength -= this.#unwritten.shift()?.row.length ?? 0;
  }

  /** Deletes the rows that no run still in the log has written to. */
  #prune(): void {
    this.#pruneTimer = undefined;
    if (this.#database.isTransaction) {
      setImmediate(() => this.#prune());
      return;
    }
    let oldest = this.#nextId;
    for (const { id } of this.#pins) oldest = Math.min(oldest, id);
    try {
      this.#database.prepare("delete from journal where id < ?").run(oldest);
    } catch {
      // The rows cost space and nothing else; the next run that leaves the log tries again.
    }
  }
}

/** The events are JSON text already: they are spliced, not encoded again. */
function encodeRow(group: Iterable<ConversationLog>): string {
  const parts: string[] = [];
  for (const { conversationId, pending } of group) {
    const [first] = pending;
    if (first === undefined) continue;
    const events = pending.map((entry) => entry.json).join(",");
    parts.push(`[${JSON.stringify(conversationId)},${first.seq},[${events}]]`);
  }
  return `[${parts.join(",")}]`;
}
