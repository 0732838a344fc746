/** What the log keeps. */
import type { Guard } from "../guard.ts";

const journal = ["test/log/journalled.test.ts", "test/log/journal-rows.test.ts"];
const model = ["test/log/memory-model.test.ts"];
const segments = ["test/log/journal-segments-model.test.ts"];

export const logGuards: readonly Guard[] = [
  {
    slip: "the cap on unwritten memory is gone",
    file: "src/log/journal.ts",
    code: "    while (this.#unwrittenLength > maxUnwrittenLength) this.#shift();\n",
    becomes: "",
    tests: journal,
  },
  {
    slip: "pruning deletes rows of running runs",
    file: "src/log/journal/journal-segments.ts",
    code: "conversation.oldest > part.lastSeq",
    becomes: "conversation.oldest >= part.lastSeq",
    tests: segments,
  },
  {
    slip: "rows that are joined with others are not needed for their events any more",
    file: "src/log/journal/journal-segments.ts",
    code: "      note(segment, conversation, { firstSeq, lastSeq, length });\n    }\n    segment.endId",
    becomes: "    }\n    segment.endId",
    tests: segments,
  },
  {
    slip: "what is to be erased is forgotten where its rows are joined with others",
    file: "src/log/journal/journal-segments.ts",
    code: "    segment.hasErased ||= next.hasErased;\n",
    becomes: "",
    tests: segments,
  },
  {
    slip: "rows that were joined with others are looked at the next time",
    file: "src/log/journal/journal-segments.ts",
    code: "if (!isJoined && this.#segments",
    becomes: "if (this.#segments",
    tests: segments,
  },
  {
    slip: "slices are not bounded in bytes",
    file: "src/log/slice.ts",
    code: " && bytes <= sliceMaxBytes",
    becomes: "",
    tests: model,
  },
  {
    slip: "slices are not bounded in number",
    file: "src/log/slice.ts",
    code: " && to - from < sliceMaxEntries",
    becomes: "",
    tests: model,
  },
  {
    slip: "an evicted run's bytes go on counting",
    file: "src/log/memory-log.ts",
    code: "this.#bytes -= conversation.dropThrough(lastSeq);",
    becomes: "conversation.dropThrough(lastSeq);",
    tests: model,
  },
  {
    slip: "readers who are behind are not woken by an eviction",
    file: "src/log/conversation-log.ts",
    code: "    if (this.oldest !== before) this.listeners.wake();\n",
    becomes: "",
    tests: [...model, "test/log/memory.test.ts"],
  },
  {
    slip: "an entry that was readable is extended",
    file: "src/log/entry-list.ts",
    code: "last !== undefined && this.#settled < this.#entries.length && last.takesIn(event)",
    becomes: "last !== undefined && last.takesIn(event)",
    tests: ["test/log/entry-list.test.ts", "test/log/memory.test.ts"],
  },
  {
    slip: "a mirror takes in what is behind a hole",
    file: "src/log/redis/mirror.ts",
    code: "if (fresh[0]?.seq === last + 1) this.#extend(fresh);",
    becomes: "this.#extend(fresh);",
    tests: ["test/log/mirror.test.ts"],
  },
  {
    slip: "a mirror holds any number of bytes",
    file: "src/log/redis/mirror.ts",
    code: " || this.#bytes > 1.5 * maxBytes",
    becomes: "",
    tests: ["test/log/mirror.test.ts"],
  },
  {
    slip: "a late answer of Redis's replaces what was notified since",
    file: "src/log/redis/mirror.ts",
    code: "if (this.#entries.at(-1) === last) this.#replace(entries);",
    becomes: "this.#replace(entries);",
    tests: ["test/log/mirror.test.ts"],
  },
  {
    slip: "a conversation that nobody follows stays subscribed",
    file: "src/log/redis/mirrors.ts",
    code: "      void notifications.unsubscribe(keysOf(prefix, conversationId).channel);\n",
    becomes: "      void [notifications, prefix];\n",
    tests: ["test/log/mirror.test.ts"],
  },
  {
    slip: "events that a failover lost are not sent again",
    file: "src/log/redis/run-writer.ts",
    code: '        this.#tail.acknowledge(answer.lastSeq);\n        break;\n      case "lost"',
    becomes: '        this.#tail.acknowledge(this.lastSeq);\n        break;\n      case "lost"',
    tests: ["test/log/run-writer-model.test.ts"],
  },
  {
    slip: "who waits for a run that was taken over waits for ever",
    file: "src/log/redis/run-writer.ts",
    code: "    this.#release(Number.POSITIVE_INFINITY);\n    this.#options.onDone(this);",
    becomes: "    this.#options.onDone(this);",
    tests: ["test/log/run-writer-model.test.ts"],
  },
];
