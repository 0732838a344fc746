/** Reads the journal's rows a few at a time, around those that cannot be read. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

export interface StoredRow {
  readonly id: number;
  /** A string, unless somebody has damaged it. */
  readonly events: unknown;
}

/** @param what names the row and says what is wrong with it */
export type OnDamage = (what: string, cause: unknown) => void;

/** Rows that are held at once. */
const rowsAtOnce = 64;
/** Characters; twice as many bytes may be needed to read a row, and as many again for its events. */
const maxRowLength = 64 * 1024 * 1024;

export class RowReader {
  readonly #database: DatabaseSync;
  readonly #ids: StatementSync;
  readonly #row: StatementSync;
  readonly #onDamage: OnDamage;

  constructor(database: DatabaseSync, onDamage: OnDamage) {
    this.#database = database;
    // The length is in the row's head: those that are too long are never read.
    this.#ids = database.prepare(
      `select id, octet_length(events) as bytes from journal where id >= ? and id < ? order by id limit ${rowsAtOnce}`,
    );
    this.#row = database.prepare("select events from journal where id = ?");
    this.#onDamage = onDamage;
  }

  /** The rows with ids from `from` up to, but not including, `to`, in order. */
  *between(from: number, to: number): Generator<StoredRow> {
    for (let next = from; ; ) {
      const heads = this.#headsFrom(next, to);
      for (const { id, bytes } of heads) {
        next = id + 1;
        const row = this.#read(id, bytes);
        if (row !== undefined) yield row;
      }
      if (heads.length < rowsAtOnce) return;
    }
  }

  /** Where the newest rows begin that have so many bytes together; the last one counts as it is. */
  newest(maxBytes: number): number {
    let from = 0;
    let bytes = 0;
    try {
      const rows = "select id, octet_length(events) as bytes from journal order by id desc";
      for (const row of this.#database.prepare(rows).iterate()) {
        bytes += Number(row.bytes);
        if (from > 0 && bytes > maxBytes) return from;
        from = Number(row.id);
      }
    } catch (cause) {
      this.#onDamage("the journal's rows cannot be counted", cause);
    }
    return from;
  }

  isAnyBefore(id: number): boolean {
    return (
      this.#database.prepare("select 1 from journal where id < ? limit 1").get(id) !== undefined
    );
  }

  damaged(id: number, cause: unknown): void {
    this.#onDamage(`row ${id} of the journal was skipped: it cannot be read`, cause);
  }

  #headsFrom(from: number, to: number): { id: number; bytes: number }[] {
    try {
      const heads = this.#ids.all(from, to);
      return heads.map(({ id, bytes }) => ({ id: Number(id), bytes: Number(bytes) }));
    } catch (cause) {
      this.#onDamage(`the journal cannot be read from row ${from} on`, cause);
      return [];
    }
  }

  #read(id: number, bytes: number): StoredRow | undefined {
    try {
      if (bytes > maxRowLength) throw new Error(`it has ${bytes} bytes`);
      const row = this.#row.get(id);
      return row && { id, events: row.events };
    } catch (cause) {
      this.damaged(id, cause);
      return undefined;
    }
  }
}
