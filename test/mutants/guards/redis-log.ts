/** What the log keeps in Redis, and what of it is there for its readers. */
import type { Guard } from "../guard.ts";

export const redisLogGuards: readonly Guard[] = [
  {
    slip: "only the first of a call hears that it failed",
    file: "src/log/redis/append-calls.ts",
    code: "        for (const { waiting } of group) waiting.reject(cause);\n",
    becomes: "        group[0]?.waiting.reject(cause);\n",
    tests: ["test/log/redis-appends.test.ts", "test/log/run-writer-model.test.ts"],
  },
  {
    slip: "once somebody has hurried everybody does",
    file: "src/log/redis/append-calls.ts",
    code: "    this.#hurries = false;\n",
    becomes: "",
    tests: ["test/log/redis-appends.test.ts", "test/log/run-writer-model.test.ts"],
  },
  {
    slip: "a reader before the mirror is given what the mirror has",
    file: "src/log/redis/mirror.ts",
    code: "    if (after + 1 < first) return undefined;\n",
    becomes: "",
    tests: ["test/log/mirror.test.ts", "test/log/redis.test.ts"],
  },
  {
    slip: "an event of more than a megabyte leaves the mirror empty",
    file: "src/log/redis/mirror.ts",
    code: "surplus < this.#entries.length - 1;",
    becomes: "surplus < this.#entries.length;",
    tests: ["test/log/mirror.test.ts", "test/log/redis.test.ts"],
  },
  {
    slip: "a conversation that is quiet counts as fresh",
    file: "src/log/redis/mirror.ts",
    code: "performance.now() - this.#freshAtMs >= olderThanMs",
    becomes: "performance.now() - this.#freshAtMs > 2 * olderThanMs + 60_000",
    tests: ["test/log/mirror.test.ts", "test/log/redis.test.ts"],
  },
  {
    slip: "a mirror that is emptied wakes nobody",
    file: "src/log/redis/mirror.ts",
    code: "    if (entries.length === 0) this.#notified = 0;\n    this.listeners.wake();",
    becomes:
      "    if (entries.length === 0) this.#notified = 0;\n    if (entries.length > 0) this.listeners.wake();",
    tests: ["test/log/mirror.test.ts", "test/log/redis.test.ts"],
  },
  {
    slip: "what is not known of a notification is taken for known",
    file: "src/log/redis/mirror.ts",
    code: "const known = this.#lastSeq - (lastSeq - events.length);",
    becomes: "const known = Math.max(0, this.#lastSeq - (lastSeq - events.length));",
    tests: ["test/log/mirror.test.ts", "test/log/redis.test.ts"],
  },
];
