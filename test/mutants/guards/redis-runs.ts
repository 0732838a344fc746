/** What a process holds of a run against what Redis has of it. */
import type { Guard } from "../guard.ts";

export const redisRunGuards: readonly Guard[] = [
  {
    slip: "who leaves twice ends the reading of who came since",
    file: "src/log/redis/mirrors.ts",
    code: " || this.get(conversationId) !== mirror) return;",
    becomes: ") return;",
    tests: ["test/log/mirror.test.ts"],
  },
  {
    slip: "mirrors are checked after the log has closed",
    file: "src/log/redis/mirrors.ts",
    code: "    clearInterval(this.#checks);\n",
    becomes: "",
    tests: ["test/log/mirror.test.ts"],
  },
  {
    slip: "a writer that is done is kept",
    file: "src/log/redis/redis-log.ts",
    code: "          this.#writers.delete(done);\n",
    becomes: "",
    tests: ["test/log/redis-log-parts.test.ts"],
  },
  {
    slip: "an event that comes between two questions is passed over",
    file: "src/log/redis/redis-log.ts",
    code: "if (newest === undefined || newest.seq <= after) return",
    becomes: "if (newest === undefined || newest.seq >= after) return",
    tests: ["test/log/redis-log-parts.test.ts"],
  },
  {
    slip: "a Redis that has less than the run's beginning has it sent from there",
    file: "src/log/redis/run-tail.ts",
    code: "Math.max(before, Math.min(lastSeq, this.lastSeq))",
    becomes: "Math.min(lastSeq, this.lastSeq)",
    tests: ["test/log/run-tail.test.ts"],
  },
  {
    slip: "a Redis that has more than the run is waited for",
    file: "src/log/redis/run-tail.ts",
    code: "Math.max(before, Math.min(lastSeq, this.lastSeq))",
    becomes: "Math.max(before, lastSeq)",
    tests: ["test/log/run-tail.test.ts"],
  },
  {
    slip: "a lease is taken again from the run's newest event",
    file: "src/log/redis/write-lease.ts",
    code: "after: this.openedAfter, takeOver",
    becomes: "takeOver",
    tests: ["test/log/run-tail.test.ts"],
  },
  {
    slip: "what was sent may still take in more",
    file: "src/log/redis/run-tail.ts",
    code: "    this.#list.settleThrough(this.#acknowledgedSeq + count);\n",
    becomes: "",
    tests: ["test/log/run-tail.test.ts"],
  },
  {
    slip: "bytes are counted again and again",
    file: "src/log/redis/run-writer.ts",
    code: "this.#uncountedBytes += bytes - countedBytes;",
    becomes: "this.#uncountedBytes += bytes;",
    tests: ["test/log/run-writer-failures.test.ts"],
  },
  {
    slip: "a run's time to live is not renewed by its appends",
    file: "src/log/redis/run-scripts.ts",
    code: "    for i = key, key + width - 1 do call('PEXPIRE', KEYS[i], liveMs) end\n",
    becomes: "    local _ = nil\n",
    tests: ["test/log/run-scripts.test.ts"],
  },
  {
    slip: "an append's bytes are not its run's",
    file: "src/log/redis/run-scripts.ts",
    code: "    call('HINCRBY', pen, 'runBytes', counted)\n",
    becomes: "",
    tests: ["test/log/run-scripts.test.ts"],
  },
  {
    slip: "an append is taken from whoever had the run before",
    file: "src/log/redis/run-scripts.ts",
    code: "  if lease[1] ~= ARGV[at] or lease[2] ~= token then return 'fenced', last end",
    becomes: "  if lease[1] ~= ARGV[at] then return 'fenced', last end",
    tests: ["test/log/run-scripts.test.ts"],
  },
];
