/** Writes rows of the journal: short ones as strings, long ones by their pieces, of which SQLite makes a text. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Scratch } from "../scratch.ts";
import type { RowText } from "./rows.ts";

export class RowInsert {
  readonly #short: StatementSync;
  readonly #long: StatementSync;
  readonly #scratch = new Scratch();

  constructor(database: DatabaseSync) {
    this.#short = database.prepare("insert into journal (id, events) values (?, ?)");
    this.#long = database.prepare("insert into journal (id, events) values (?, cast(? as text))");
  }

  /** @throws what SQLite throws, where it does not take it now */
  run(id: number, row: RowText): void {
    if (!row.isLong) {
      this.#short.run(id, row.text);
      return;
    }
    using text = this.#scratch.take();
    for (const piece of row.pieces()) text.write(piece);
    this.#long.run(id, text.bytes);
  }
}
