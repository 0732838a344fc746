/** What the log in memory forgets, keeps and takes back. */
import type { Guard } from "../guard.ts";

const memory = ["test/log/memory.test.ts"];

export const memoryLogGuards: readonly Guard[] = [
  {
    slip: "forget does not wait for the run that writes",
    file: "src/log/memory-log.ts",
    code: "        if (conversation.writingRunId !== undefined) await conversation.writing?.promise;\n",
    becomes: "",
    tests: memory,
  },
  {
    slip: "what was not readable yet is not forgotten",
    file: "src/log/memory-log.ts",
    code: "        if (this.#dirty.has(conversation)) await this.#committed.promise;\n",
    becomes: "",
    tests: memory,
  },
  {
    slip: "a run's end is forgotten before it can be read",
    file: "src/log/memory-log.ts",
    code: "Math.min(through ?? last, last)",
    becomes: "through ?? conversation.lastSeq",
    tests: memory,
  },
  {
    slip: "a conversation that is written is forgotten when its reader leaves",
    file: "src/log/memory-log.ts",
    code: " ||\n      conversation.writingRunId !== undefined;",
    becomes: ";",
    tests: memory,
  },
  {
    slip: "what a gap dropped goes on counting",
    file: "src/log/memory-log.ts",
    code: "this.#bytes -= conversation.placeAfter(options.after);",
    becomes: "conversation.placeAfter(options.after);",
    tests: memory,
  },
  {
    slip: "a group is in the context of its first event",
    file: "src/log/memory-log.ts",
    code: "this.#inOwnContext(() => setImmediate(() => this.#flush()));\n    return grownBytes",
    becomes: "setImmediate(() => this.#flush());\n    return grownBytes",
    tests: memory,
  },
  {
    slip: "a group that is cut by age is in the context of its last event",
    file: "src/log/memory-log.ts",
    code: "this.#inOwnContext(() => this.#flush());\n    else",
    becomes: "this.#flush();\n    else",
    tests: memory,
  },
];
