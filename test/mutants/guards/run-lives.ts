/** A run from its claim to its end, and what is told of it. */
import type { Guard } from "../guard.ts";

export const runLifeGuards: readonly Guard[] = [
  {
    slip: "an ending that the store refuses is tried for ever",
    file: "src/runs/lifecycle/finalizer.ts",
    code: "          if (ending !== decided) return this.#toBeLate(numbered);\n",
    becomes: "",
    tests: ["test/runs/finalizer-model.test.ts"],
  },
  {
    slip: "a late ending that is stored is stored again",
    file: "src/runs/lifecycle/finalizer.ts",
    code: "    await this.#finish(numbered);\n    this.#late.delete(runId);",
    becomes: "    await this.#finish(numbered);",
    tests: ["test/runs/finalizer-model.test.ts"],
  },
  {
    slip: "a late ending that the store refuses holds up the others",
    file: "src/runs/lifecycle/finalizer.ts",
    code: "        if (isStoreAway(cause)) return;\n",
    becomes: "        if (cause !== undefined) return;\n",
    tests: ["test/runs/finalizer-model.test.ts"],
  },
  {
    slip: "after one late ending others are not written",
    file: "src/runs/lifecycle/finalizer.ts",
    code: "    this.#writingLate = undefined;\n",
    becomes: "",
    tests: ["test/runs/finalizer-model.test.ts"],
  },
  {
    slip: "a shutdown's last try has no end",
    file: "src/runs/lifecycle/finalizer.ts",
    code: "setTimeout(() => this.#lastTryOver.abort(away), lastTryMs).unref();",
    becomes: "void [away, lastTryMs];",
    tests: ["test/runs/finalizer-model.test.ts"],
  },
  {
    slip: "the run that ended otherwise keeps its text",
    file: "src/runs/lifecycle/finalizer.ts",
    code: 'text: "", error, usage',
    becomes: "text: decided.text, error, usage",
    tests: ["test/runs/finalizer-model.test.ts"],
  },
];
