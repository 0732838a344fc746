/** What the log in memory forgets, keeps and takes back. */
import type { Guard } from "../guard.ts";

const memory = ["test/log/memory.test.ts"];
const restored = ["test/log/restored-rows.test.ts"];

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
    slip: "runs of before the boot leave by conversation",
    file: "src/log/memory-log.ts",
    code: "    ended.sort((one, other) => one.endedAt.getTime() - other.endedAt.getTime());\n",
    becomes: "",
    tests: restored,
  },
  {
    slip: "the last of all ended runs is the only one that leaves",
    file: "src/log/memory-log.ts",
    code: 'if (event.type !== "runEnd") continue;\n        const endedAt',
    becomes:
      'if (event.type !== "runEnd" || lastSeq !== conversation.lastSeq) continue;\n        const endedAt',
    tests: restored,
  },
  {
    slip: "half of a run is shown though the journal has all of it",
    file: "src/log/memory-log.ts",
    code: 'conversation.unended === "part" && this.#journal.hasOlder',
    becomes: "false",
    tests: restored,
  },
  {
    slip: "runs that the store does not know stay",
    file: "src/log/memory-log.ts",
    code: '      if (conversation.unended !== "none" && conversation.writingRunId === undefined) {\n        this.#retain(conversation);\n      }\n',
    becomes: "",
    tests: restored,
  },
  {
    slip: "a run that writes leaves with those that the store does not know",
    file: "src/log/memory-log.ts",
    code: '"none" && conversation.writingRunId === undefined',
    becomes: '"none"',
    tests: restored,
  },
  {
    slip: "events of a run before are recovered",
    file: "src/log/memory-log.ts",
    code: "if (seq >= run.firstSeq) this",
    becomes: "this",
    tests: restored,
  },
  {
    slip: "the first event of a run is not recovered",
    file: "src/log/memory-log.ts",
    code: "if (seq >= run.firstSeq) this",
    becomes: "if (seq > run.firstSeq) this",
    tests: restored,
  },
  {
    slip: "recovering goes on after it was stopped",
    file: "src/log/memory-log.ts",
    code: "      signal?.throwIfAborted();\n",
    becomes: "",
    tests: restored,
  },
  {
    slip: "recovered bytes are not counted",
    file: "src/log/memory-log.ts",
    code: "if (seq >= run.firstSeq) this.#bytes += conversation.restore(seq, event);",
    becomes: "if (seq >= run.firstSeq) conversation.restore(seq, event);",
    tests: restored,
  },
  {
    slip: "each slice says that it is the last",
    file: "src/log/conversation-log.ts",
    code: "entries.length === 0 || entries.at(-1)?.seq === this.committedSeq",
    becomes: "true",
    tests: ["test/log/conversation-log.test.ts"],
  },
  {
    slip: "long texts are held twice",
    file: "src/log/conversation-log.ts",
    code: "    this.listeners.wake();\n    this.#list.holdAsSaid();\n",
    becomes: "    this.listeners.wake();\n",
    tests: ["test/log/journalled.test.ts"],
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
