/** What the journal has on disk. */
import type { Guard } from "../guard.ts";

const faults = ["test/log/journal-faults.test.ts"];

export const journalGuards: readonly Guard[] = [
  {
    slip: "rows are compacted while others wait to be written",
    file: "src/log/journal.ts",
    code: "isReady: () => this.healthy && !this.#hasOlder,",
    becomes: "isReady: () => !this.#hasOlder,",
    tests: faults,
  },
  {
    slip: "a closed journal does not write what waits",
    file: "src/log/journal.ts",
    code: "if (!this.#database.isTransaction) this.#writeAll();\n    this.#compactor",
    becomes: "this.#compactor",
    tests: faults,
  },
  {
    slip: "a row is dropped when the disk refuses it",
    file: "src/log/journal.ts",
    code: "      } catch {\n        this.#retryTimer",
    becomes: "      } catch {\n        this.#shift();\n        this.#retryTimer",
    tests: ["test/log/journalled.test.ts"],
  },
  {
    slip: "a group of any size is one row",
    file: "src/log/journal.ts",
    code: "if (row.length > maxRowLength) {",
    becomes: "if (row.length > Number.MAX_SAFE_INTEGER) {",
    tests: faults,
  },
  {
    slip: "a row is tried again inside somebody else's transaction",
    file: "src/log/journal.ts",
    code: "if (this.#database.isTransaction) setImmediate(() => this.#retry());\n    else this.#writeAll();",
    becomes: "this.#writeAll();",
    tests: faults,
  },
  {
    slip: "rows are deleted inside somebody else's transaction",
    file: "src/log/journal/compactor.ts",
    code: "      if (database.isTransaction) {\n        this.#later();\n        return;\n      }\n",
    becomes: "",
    tests: faults,
  },
  {
    slip: "a compaction that fails is half done",
    file: "src/log/journal/compactor.ts",
    code: '      if (database.isTransaction) database.exec("rollback");\n',
    becomes: "",
    tests: faults,
  },
  {
    slip: "what is left of an earlier process is deleted in part",
    file: "src/log/journal/compactor.ts",
    code: "if (Number(changes) < rowsAtOnce) this.#firstId = 0;",
    becomes: "this.#firstId = 0;",
    tests: ["test/log/journal-rows.test.ts"],
  },
  {
    slip: "an erasure that waits for a log that is closed never settles",
    file: "src/log/journal/compactor.ts",
    code: "    for (const { resolve } of this.#erasures.splice(0)) resolve();\n",
    becomes: "",
    tests: ["test/log/erased-rows.test.ts"],
  },
  {
    slip: "a start passes over the newest row, where that is a long one",
    file: "src/log/journal/row-reader.ts",
    code: "if (from > 0 && bytes > maxBytes) return from;",
    becomes: "if (bytes > maxBytes) return from;",
    tests: faults,
  },
  {
    slip: "a start stops after the first rows that it reads at once",
    file: "src/log/journal/row-reader.ts",
    code: "if (heads.length < rowsAtOnce) return;",
    becomes: "if (heads.length <= rowsAtOnce) return;",
    tests: faults,
  },
  {
    slip: "a row of any length is read",
    file: "src/log/journal/row-reader.ts",
    code: "if (bytes > maxRowLength) throw",
    becomes: "if (bytes < 0) throw",
    tests: faults,
  },
  {
    slip: "runs are given back with their rows in another order",
    file: "src/log/journal/older-events.ts",
    code: "where conversation_id = ? order by id",
    becomes: "where conversation_id = ? order by id desc",
    tests: ["test/log/journal-rows.test.ts"],
  },
];
