/** The events of ended runs: made, read, and gone from where they need not be. */
import type { Guard } from "../guard.ts";

const archives = ["test/runs/archives.test.ts"];
const rows = ["test/log/archived-rows.test.ts"];

export const archiveGuards: readonly Guard[] = [
  {
    slip: "a run whose beginning the log has lost is archived as a whole one",
    file: "src/runs/archives/archiver.ts",
    code: "    if (!this.#begun && first.seq !== firstSeq) this.#writer = undefined;\n",
    becomes: "",
    tests: archives,
  },
  {
    slip: "a run that is ended for a process that is gone has its end alone in its archive",
    file: "src/runs/lifecycle/unattended.ts",
    code: "    await archive?.add(entries);\n",
    becomes: "",
    tests: archives,
  },
  {
    slip: "archives that are read are held without a bound",
    file: "src/runs/following/archived-runs.ts",
    code: "      if (other !== held) this.forget(runId);\n",
    becomes: "",
    tests: archives,
  },
  {
    slip: "a damaged archive fails its readers",
    file: "src/runs/following/archived-runs.ts",
    code: "if (!(cause instanceof DamagedArchiveError)) throw cause;",
    becomes: "throw cause;",
    tests: archives,
  },
  {
    slip: "the rest of an archive waits for a silence each slice",
    file: "src/runs/following/follower.ts",
    code: "backfill.isWithinArchive(this.#cursor.position) ? 0 : silenceMs",
    becomes: "silenceMs",
    tests: ["test/runs/cursors.test.ts"],
  },
  {
    slip: "a watcher is told an archived run in short",
    file: "src/runs/following/backfill.ts",
    code: "run.archived ? await this.#archivedOf(run, after) : []",
    becomes: "[]",
    tests: ["test/runs/follower-model.test.ts"],
  },
  {
    slip: "a start passes over a run that begins where an archived one ends",
    file: "src/log/journal/rows.ts",
    code: ` || text.includes('"type":"runStart"')`,
    becomes: "",
    tests: rows,
  },
  {
    slip: "what a start has not taken back is not erased with its conversation",
    file: "src/log/journal.ts",
    code: "          for (const conversationId of unneeded) segment.conversationIds.add(conversationId);\n",
    becomes: "",
    tests: rows,
  },
  {
    slip: "a run that is archived takes one along that is not",
    file: "src/log/retention.ts",
    code: "(archived && !isBehindKept ? this.#archived : this.#kept)",
    becomes: "(archived ? this.#archived : this.#kept)",
    tests: ["test/log/retention.test.ts"],
  },
];
