/** HTTP requests, their connections and their event streams. */
import type { Guard } from "../guard.ts";

export const requestGuards: readonly Guard[] = [
  {
    slip: "who left while it waited for its turn is begun",
    file: "src/server/http/subscription-delivery.ts",
    code: "  try {\n    signal.throwIfAborted();\n    const input",
    becomes: "  try {\n    const input",
    tests: ["test/server/subscription-delivery.test.ts"],
  },
  {
    slip: "what is too much to parse is parsed",
    file: "src/server/fetch/checked-body.ts",
    code: "  if (isTooComplex(scanJson(body), limits.maxMessagesPerFrame)) {",
    becomes: "  if (isTooComplex(scanJson(body), Number.POSITIVE_INFINITY)) {",
    tests: ["test/server/fetch-handler.test.ts"],
  },
  {
    slip: "a stream that ended pings",
    file: "src/server/fetch/fetch-event-stream.ts",
    code: "    clearInterval(this.#timer);\n    this.#controller",
    becomes: "    this.#controller",
    tests: ["test/server/fetch-event-stream.test.ts"],
  },
  {
    slip: "who waits when the reader leaves waits for ever",
    file: "src/server/fetch/fetch-event-stream.ts",
    code: "    this.#left.abort();\n    this.#goOn();",
    becomes: "    this.#left.abort();",
    tests: ["test/server/fetch-event-stream.test.ts"],
  },
  {
    slip: "a request's slot is kept",
    file: "src/server/fetch/fetch-handler.ts",
    code: "        turns?.end();\n",
    becomes: "",
    tests: ["test/server/fetch-handler.test.ts"],
  },
  {
    slip: "a stream's listener stays at its request",
    file: "src/server/fetch/fetch-handler.ts",
    code: '      request.signal.removeEventListener("abort", leave);\n',
    becomes: "",
    tests: ["test/server/fetch-handler.test.ts"],
  },
  {
    slip: "a connection that has been answered is never idle again",
    file: "src/server/http/tcp-connections.ts",
    code: "      if (this.#http.has(socket)) this.#becomesIdle(socket, http.key);\n      else this.#addHttp(socket);",
    becomes: "      if (!this.#http.has(socket)) this.#addHttp(socket);",
    tests: ["test/server/tcp-connections-model.test.ts"],
  },
  {
    slip: "a connection that was closed for another one goes on counting",
    file: "src/server/http/tcp-connections.ts",
    code: "    socket.destroy();\n    this.#remove(socket);",
    becomes: "    socket.destroy();\n    this.removeFromHttp(socket);",
    tests: ["test/server/tcp-connections-model.test.ts"],
  },
  {
    slip: "a request's bytes go on counting when it was answered",
    file: "src/server/http/request-meter.ts",
    code: "    this.#bytes = 0;\n    this.#lines = 0;\n    this.#count();",
    becomes: "    this.#lines = 0;\n    this.#count();",
    tests: ["test/server/tcp-connections-model.test.ts"],
  },
  {
    slip: "lines of any number are read",
    file: "src/server/http/request-meter.ts",
    code: "if (++this.#lines > shortLines + this.#bytes / bytesOfLine) return true;",
    becomes: "this.#lines += 1;",
    tests: ["test/server/tcp-connections-model.test.ts"],
  },
  {
    slip: "a flood is parsed before it is cut",
    file: "src/server/http/request-meter.ts",
    code: "      read.fill(0);\n",
    becomes: "",
    tests: ["test/server/tcp-connections-model.test.ts"],
  },
  {
    slip: "a batch's answers cost its user nothing",
    file: "src/server/http/batch-turns.ts",
    code: "      this.#options.work.charge(this.#options.userId, bytes);\n",
    becomes: "",
    tests: ["test/server/batch-turns.test.ts"],
  },
];
