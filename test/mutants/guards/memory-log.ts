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
];
