/** What a run needs before it begins, and what is done when it has ended. */
import type { Guard } from "../guard.ts";

export const runGuards: readonly Guard[] = [
  {
    slip: "users who have nothing in progress are kept",
    file: "src/runs/admission/concurrency-limit.ts",
    code: "    if (left === 0) this.#taken.delete(key);\n    else ",
    becomes: "    ",
    tests: ["test/runs/concurrency-limit.test.ts"],
  },
  {
    slip: "what a schema throws in a timer leaves its check waiting",
    file: "src/runs/admission/contained-check.ts",
    code: "Promise.race([checking, crashed.promise])",
    becomes: "checking",
    tests: ["test/runs/contained-check.test.ts"],
  },
  {
    slip: "a message's length is checked after the bot's own code",
    file: "src/runs/admission/preparation.ts",
    code: "  if (tooLong !== undefined) throw tooLong;\n  const given = await checkInput(input, options);\n",
    becomes:
      "  const given = await checkInput(input, options);\n  if (tooLong !== undefined) throw tooLong;\n",
    tests: ["test/runs/preparation.test.ts"],
  },
  {
    slip: "large runs are packed at once",
    file: "src/runs/archives/archiver.ts",
    code: "bytes < largeBytes ? await pack() : await",
    becomes: "bytes >= 0 ? await pack() : await",
    tests: ["test/runs/archiver-model.test.ts"],
  },
  {
    slip: "events of the run before are archived with it",
    file: "src/runs/archives/archiver.ts",
    code: ": entries.filter((entry) => entry.runId === runId)",
    becomes: ": entries",
    tests: ["test/runs/archiver-model.test.ts"],
  },
  {
    slip: "clocks that are apart hide lost events",
    file: "src/runs/cluster/cluster.ts",
    code: "Date.parse(startedAt) - this.#clockSkewMs < this.#connected.atMs",
    becomes: "Date.parse(startedAt) < this.#connected.atMs",
    tests: ["test/runs/cluster.test.ts"],
  },
  {
    slip: "an interruption is noticed at the next renewal alone",
    file: "src/runs/cluster/cluster.ts",
    code: "    this.#noteInterruption();\n    return Date",
    becomes: "    return Date",
    tests: ["test/runs/cluster.test.ts"],
  },
  {
    slip: "an unknown notice ends its receiver",
    file: "src/runs/cluster/cluster.ts",
    code: "    if (notice !== undefined) this.#onNotice(notice);\n",
    becomes: "    this.#onNotice(notice as Notice);\n",
    tests: ["test/runs/cluster.test.ts"],
  },
  {
    slip: "without Redis a told end fails its caller",
    file: "src/runs/cluster/told-end.ts",
    code: ".catch(() => undefined)",
    becomes: "",
    tests: ["test/runs/told-end.test.ts"],
  },
  {
    slip: "a log that cannot forget ends the process",
    file: "src/runs/forget-deleted.ts",
    code: '  log.forget([{ conversationId }]).catch((cause: unknown) => {\n    observer.failed?.("events of a deleted conversation stay until their retention time", cause);\n  });',
    becomes: "  void log.forget([{ conversationId }]);\n  void observer;",
    tests: ["test/runs/deletions.test.ts"],
  },
  {
    slip: "what was deleted before is not finished",
    file: "src/runs/erase-user.ts",
    code: "    await finishDeletions(erasure.store);\n",
    becomes: "    void finishDeletions;\n",
    tests: ["test/runs/erase-user.test.ts", "test/runs/deletions.test.ts"],
  },
  {
    slip: "the names that earlier versions left stay",
    file: "src/runs/erase-user.ts",
    code: "    await administration.redactLeftovers(userId);\n",
    becomes: "",
    tests: ["test/runs/erase-user.test.ts", "test/runs/deletions.test.ts"],
  },
  {
    slip: "a run that was deleted meanwhile fails the erasure",
    file: "src/runs/erase-user.ts",
    code: ".catch(unlessMissing)",
    becomes: ".catch((cause: unknown) => { void unlessMissing; throw cause; })",
    tests: ["test/runs/erase-user.test.ts", "test/runs/deletions.test.ts"],
  },
];
