/** Runs that an earlier process has left: ended once, with what is known of them. */
import type { Guard } from "../guard.ts";

export const recoveryGuards: readonly Guard[] = [
  {
    slip: "a cancel does not wait for recovery",
    file: "src/runs/lifecycle/live-runs.ts",
    code: "    await this.#options.recovery?.ended(runId);\n",
    becomes: "",
    tests: ["test/runs/recovery.test.ts"],
  },
  {
    slip: "a recovery that is tried again ends the runs begun meanwhile",
    file: "src/runs/lifecycle/recovery.ts",
    code: "left.filter(({ runId }) => this.has(runId))",
    becomes: "left",
    tests: ["test/runs/recovery.test.ts"],
  },
  {
    slip: "a recovery without the store gives its runs up",
    file: "src/runs/lifecycle/recovery.ts",
    code: "        if (isStoreAway(cause)) throw cause;\n",
    becomes: "",
    tests: ["test/runs/recovery.test.ts"],
  },
  {
    slip: "runs that ended in the store and not in the log stay without an end",
    file: "src/runs/lifecycle/recovery.ts",
    code: "if (run?.runId !== runId || run.endSeq === undefined) continue;",
    becomes: "if (run !== undefined) continue; else continue;",
    tests: ["test/runs/recovery.test.ts"],
  },
  {
    slip: "a recovery that is over still holds who waits for its runs",
    file: "src/runs/lifecycle/recovery.ts",
    code: "    for (const runId of [...this.#pending.keys()]) this.#settle(runId);\n",
    becomes: "",
    tests: ["test/runs/recovery.test.ts"],
  },
  {
    slip: "numbers that readers have seen are given out again",
    file: "src/runs/lifecycle/unattended.ts",
    code: "endSeq: lacksEvents ? Math.max(logged, firstSeq) + neverReached : logged + 1,",
    becomes: "endSeq: logged + 1,",
    tests: ["test/runs/unattended.test.ts"],
  },
];
