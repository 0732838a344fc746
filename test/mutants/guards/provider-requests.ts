/** What stays of a request to a provider, and how it is stopped. */
import type { Guard } from "../guard.ts";

const exchange = ["test/bots/event-exchange.test.ts"];

export const providerRequestGuards: readonly Guard[] = [
  {
    slip: "the idle timer of an answer that ended stays",
    file: "src/event-fetch/exchange.ts",
    code: "    this.#idleTimeout.stop();\n",
    becomes: "",
    tests: exchange,
  },
  {
    slip: "the signal's listener stays",
    file: "src/event-fetch/exchange.ts",
    code: '    this.#signal?.removeEventListener("abort", this.#onAbort);\n',
    becomes: "",
    tests: exchange,
  },
  {
    slip: "a redirect after a stop goes on",
    file: "src/event-fetch/exchange.ts",
    code: "    if (this.#stoppedFor !== undefined) connection.close(this.#stoppedFor);\n",
    becomes: "",
    tests: exchange,
  },
  {
    slip: "a stopped request keeps its connection",
    file: "src/event-fetch/exchange.ts",
    code: "    this.#connection?.close(this.#stoppedFor);\n",
    becomes: "",
    tests: exchange,
  },
  {
    slip: "an answer that is not wanted leaves its timer",
    file: "src/event-fetch/exchange.ts",
    code: "          this.#finish();\n          connection.close(reason);",
    becomes: "          connection.close(reason);",
    tests: exchange,
  },
];
