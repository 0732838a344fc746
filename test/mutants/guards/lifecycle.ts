/** How runs begin, end and are counted. */
import type { Guard } from "../guard.ts";

const lifecycle = ["test/runs/lifecycle.test.ts"];
const stopping = ["test/runs/stopping.test.ts"];
const unattended = ["test/runs/unattended.test.ts"];

export const lifecycleGuards: readonly Guard[] = [
  {
    slip: "what a message is made of is not stored",
    file: "src/runs/lifecycle/finalizer.ts",
    code: "parts: partsOf?.(text),",
    becomes: "parts: undefined,",
    tests: ["test/runs/unattended.test.ts"],
  },
  {
    slip: "a shutdown does not wait for claims under way",
    file: "src/runs/lifecycle/live-runs.ts",
    code: "    await this.#starting.allFree();\n    for (const run",
    becomes: "    for (const run",
    tests: lifecycle,
  },
  {
    slip: "a shutdown is not hurried while the store is away",
    file: "src/runs/lifecycle/live-runs.ts",
    code: "    this.#finalizer.hurry();\n",
    becomes: "",
    tests: lifecycle,
  },
  {
    slip: "a shutdown does not wait for slow readers",
    file: "src/runs/runs.ts",
    code: "    await this.#readers.finished(Math.min(graceMs, lastEventsMs));\n",
    becomes: "",
    tests: ["test/runs/readers.test.ts"],
  },
  {
    slip: "a claimed run that cannot start leaves its conversation busy",
    file: "src/runs/lifecycle/live-runs.ts",
    code: "      await this.#finalizer.abandon(begun, cause);\n",
    becomes: "",
    tests: lifecycle,
  },
  {
    slip: "a claimed run that cannot start keeps its live place",
    file: "src/runs/lifecycle/live-runs.ts",
    code: "      admitted.dispose();\n      if (!(cause",
    becomes: "      if (!(cause",
    tests: lifecycle,
  },
  {
    slip: "a rate-limited run keeps its live place",
    file: "src/runs/admission/admission.ts",
    code: "      release();\n",
    becomes: "",
    tests: lifecycle,
  },
  {
    slip: "a run that ended keeps its live place",
    file: "src/runs/lifecycle/live-runs.ts",
    code: "        admitted.dispose();\n        observer",
    becomes: "        observer",
    tests: lifecycle,
  },
  {
    slip: "a refused claim keeps its live place",
    file: "src/runs/lifecycle/live-runs.ts",
    code: "admitted.defer((await admit?.(caller)) ?? (() => {}));",
    becomes: "await admit?.(caller);",
    tests: lifecycle,
  },
  {
    slip: "usage is lost in recovery",
    file: "src/runs/lifecycle/unattended.ts",
    code: "    usage: found.usage,\n",
    becomes: "",
    tests: lifecycle,
  },
  {
    slip: "usage is lost on cancel",
    file: "src/runs/lifecycle/live-run.ts",
    code: 'return { status: "cancelled", text: this.#message.text, ...known };',
    becomes: 'return { status: "cancelled", text: this.#message.text, providerCalls };',
    tests: lifecycle,
  },
  {
    slip: "partial usage counts are lost",
    file: "src/bots/run/model/model-events.ts",
    code: "addUsage(this.#usage.get(span.id), usageOfMetadata(metadata))",
    becomes: "usageOfMetadata(metadata)",
    tests: lifecycle,
  },
  {
    slip: "a run that was claimed twice is begun twice",
    file: "src/runs/lifecycle/live-runs.ts",
    code: "this.#live.has(runId) || this.#finalizer.holds(runId)",
    becomes: "this.#finalizer.holds(runId)",
    tests: [...unattended, "test/runs/starting.test.ts", "test/e2e/send.test.ts"],
  },
  {
    slip: "the store hears of the end after the readers",
    file: "src/runs/lifecycle/live-run.ts",
    code: "const stored = await store({ ...ending, partsOf }, end);",
    becomes: "const stored = { ...ending, partsOf }; void store(stored, end);",
    tests: ["test/e2e/send.test.ts", ...unattended],
  },
  {
    slip: "the log's end is not the store's",
    file: "src/runs/lifecycle/unattended.ts",
    code: "const end = found.end ?? {",
    becomes: "const end = {",
    tests: unattended,
  },
  {
    slip: "the limit of live runs counts none that are being started",
    file: "src/runs/lifecycle/live-runs.ts",
    code: "this.#live.size + this.#starting.size >= limits.maxLiveRuns",
    becomes: "this.#live.size >= limits.maxLiveRuns",
    tests: ["test/runs/starting.test.ts"],
  },
  {
    slip: "an interrupt does not stop the run in progress",
    file: "src/runs/lifecycle/live-runs.ts",
    code: 'if (ifBusy === "reject") throw',
    becomes: "throw",
    tests: ["test/security/matrix.test.ts"],
  },
  {
    slip: "readers are told another end than the store has",
    file: "src/runs/lifecycle/finalizer.ts",
    code: "      status: stored.run.status,\n",
    becomes: "",
    tests: stopping,
  },
  {
    slip: "a timer of the run is left when it ends",
    file: "src/runs/lifecycle/live-run.ts",
    code: "    clearTimeout(timeout);\n",
    becomes: "",
    tests: stopping,
  },
];
