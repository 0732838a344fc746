/** What a provider's answer is to its reader, and what its connection is told. */
import type { Guard } from "../guard.ts";

const feed = ["test/bots/body-feed.test.ts"];

export const providerAnswerGuards: readonly Guard[] = [
  {
    slip: "what came whole before a failure is lost",
    file: "src/event-fetch/body-feed.ts",
    code: '    this.#error = error;\n    this.#settle("failed");',
    becomes:
      '    this.#error = error;\n    this.#pieces = new Reads();\n    this.#settle("failed");',
    tests: feed,
  },
  {
    slip: "what is left at the end is lost",
    file: "src/event-fetch/body-feed.ts",
    code: "return this.#pieces.rest() ?? null;",
    becomes: "return null;",
    tests: feed,
  },
  {
    slip: "a cancelled answer keeps its connection",
    file: "src/event-fetch/body-feed.ts",
    code: '    this.#connection.close(new Error("The answer was not wanted to its end."));\n',
    becomes: "",
    tests: feed,
  },
  {
    slip: "a connection is never paused",
    file: "src/event-fetch/body-feed.ts",
    code: "      this.#connection.pause();\n",
    becomes: "",
    tests: feed,
  },
  {
    slip: "a paused connection is never resumed below the bound",
    file: "src/event-fetch/body-feed.ts",
    code: "(piece === undefined || this.#pieces.byteLength < pausedAboveBytes / 2)",
    becomes: "piece === undefined",
    tests: feed,
  },
  {
    slip: "the time of a reader counts for the provider",
    file: "src/event-fetch/body-feed.ts",
    code: "    this.#idleTimeout?.pause();\n",
    becomes: "",
    tests: feed,
  },
  {
    slip: "an answer whose reader waits has no timeout",
    file: "src/event-fetch/body-feed.ts",
    code: "    this.#idleTimeout?.resume();\n",
    becomes: "",
    tests: feed,
  },
  {
    slip: "a drain that does not end holds its connection",
    file: "src/event-fetch/body-feed.ts",
    code: "    this.#drainTimer = setTimeout(() => this.cancel(), drainAtMostMs).unref();\n",
    becomes: "",
    tests: feed,
  },
  {
    slip: "a request that is sent again is not counted",
    file: "src/event-fetch/direct-request.ts",
    code: "    route.onRequest?.();\n    send();",
    becomes: "    send();",
    tests: ["test/bots/kept-connections.test.ts"],
  },
  {
    slip: "reads that wait hang when the reader is released",
    file: "src/event-fetch/event-body.ts",
    code: '    for (const { reject } of this.#pending.splice(0)) {\n      reject(new TypeError("The reader was released."));\n    }\n',
    becomes: "",
    tests: ["test/bots/event-fetch.test.ts"],
    named: "fails reads that wait when their reader is released",
  },
  {
    slip: "codings are undone in the order in which they were done",
    file: "src/event-fetch/content-coding.ts",
    code: '.split(",").reverse()',
    becomes: '.split(",")',
    tests: ["test/bots/event-fetch.test.ts"],
    named: "gzip, br",
  },
  {
    slip: "early hints are taken for the answer",
    file: "src/event-fetch/direct-request.ts",
    code: "    if (status < 200) return;\n",
    becomes: "",
    tests: ["test/bots/event-fetch.test.ts"],
    named: "takes no early hints for the answer",
  },
];
