/** What each database needs. */
import type { Guard } from "../guard.ts";

export const databaseGuards: readonly Guard[] = [
  {
    slip: "a group is committed in the context of its first",
    file: "src/store/sqlite/group-commit.ts",
    code: "this.#inOwnContext(() => setImmediate(() => this.#commit()))",
    becomes: "setImmediate(() => this.#commit())",
    tests: ["test/store/group-commit.test.ts"],
  },
  {
    slip: "once a lock was waited for in vain nobody waits again",
    file: "src/store/sqlite/busy-timeout.ts",
    code: "      if (this.#database.isOpen) this.#set(busyTimeoutMs);\n",
    becomes: "",
    tests: ["test/store/busy-timeout.test.ts"],
  },
  {
    slip: "what is deleted is only unlinked",
    file: "src/store/sqlite/sqlite.ts",
    code: '  database.exec("pragma secure_delete = on");\n',
    becomes: "",
    tests: ["test/store/sqlite-file.test.ts"],
  },
  {
    slip: "a log that a killed process left is kept",
    file: "src/store/sqlite/sqlite.ts",
    code: "    cutOffWal(database);\n",
    becomes: "",
    tests: ["test/store/sqlite-file.test.ts"],
  },
  {
    slip: "checkpoints go on when the store has closed",
    file: "src/store/sqlite/sqlite.ts",
    code: "      await checkpoints?.[Symbol.asyncDispose]();\n",
    becomes: "",
    tests: ["test/store/sqlite-parts.test.ts"],
  },
  {
    slip: "each statement is prepared each time",
    file: "src/store/sqlite/sqlite-dialect.ts",
    code: "      this.#statements.set(sql, statement);\n",
    becomes: "",
    tests: ["test/store/sqlite-parts.test.ts"],
  },
  {
    slip: "frames of an earlier log are read",
    file: "src/store/sqlite/file-headers.ts",
    code: "      if (!frame.subarray(8, 16).equals(header.salts)) return;\n",
    becomes: "",
    tests: ["test/store/file-headers.test.ts"],
  },
  {
    slip: "a copy that failed counts as made",
    file: "src/store/sqlite/snapshot.ts",
    code: '    worker.once("error", reject);\n',
    becomes: '    worker.once("error", () => {});\n',
    tests: ["test/store/sqlite-parts.test.ts"],
  },
  {
    slip: "a shutdown waits for a server that does not answer",
    file: "src/store/postgres/postgres.ts",
    code: "    await within(pool.end(), closeMs);\n",
    becomes: "    await pool.end();\n",
    tests: ["test/store/postgres-faults.test.ts"],
  },
];
