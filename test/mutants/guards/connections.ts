/** The client's two ways to a server: what is opened and kept, what is said, and what is left behind. */
import type { Guard } from "../guard.ts";

const sockets = ["test/client/web-socket-transcripts.test.ts"];
const streams = ["test/client/sse-transcripts.test.ts"];
const attempts = ["test/client/attempts.test.ts"];
const calls = ["test/client/calls.test.ts"];
const webSocket = "client/src/connection/web-socket.ts";
const sse = "client/src/sse.ts";

export const connectionGuards: readonly Guard[] = [
  {
    slip: "a socket that is open is closed with each answer",
    file: webSocket,
    code: 'if (connection.state === "connecting") void close();',
    becomes: "void close();",
    tests: sockets,
  },
  {
    slip: "closing waits for a server that is dead",
    file: webSocket,
    code: "    socket.connection?.ws.close();\n",
    becomes: "",
    tests: sockets,
  },
  {
    slip: "the wait for the next socket keeps a program",
    file: webSocket,
    code: "    const closing = socket.close();\n    attempts.shortenWait(0);\n",
    becomes: "    const closing = socket.close();\n",
    tests: sockets,
  },
  {
    slip: "a slash at the end of an address stays",
    file: webSocket,
    code: 'options.url.replace(/\\/+$/, "")',
    becomes: "options.url",
    tests: sockets,
  },
  {
    slip: "an address with a query gets a second one",
    file: webSocket,
    code: 'url.includes("?") ? "&" : "?"',
    becomes: '"?"',
    tests: sockets,
  },
  {
    slip: "a socket that was closed for want of use looks open",
    file: webSocket,
    code: '        if (unused && socket.connection?.state !== "open") connection.change("idle");\n',
    becomes: "",
    tests: sockets,
  },
  {
    slip: "what newly needs a connection waits as long as what had it",
    file: webSocket,
    code: "needed: () => attempts.shortenWait(),",
    becomes: "needed: () => {},",
    tests: sockets,
  },
  {
    slip: "a server's word that it is overloaded is not waited for",
    file: "client/src/connection/attempts.ts",
    code: "      if (error.retryAfterMs !== undefined) this.#reason = error;\n",
    becomes: "",
    tests: attempts,
  },
  {
    slip: "a wait that is about to begin is not shortened",
    file: "client/src/connection/attempts.ts",
    code: "    this.#waitMs = Math.min(this.#waitMs, withinMs);\n",
    becomes: "",
    tests: attempts,
  },
  {
    slip: "a wait that is over takes another's place",
    file: "client/src/connection/attempts.ts",
    code: "    if (this.#delay === delay) this.#delay = undefined;",
    becomes: "    this.#delay = undefined;",
    tests: attempts,
  },
  {
    slip: "a call that was ended leaves its timer",
    file: "client/src/client.ts",
    code: "        delay?.cancel();\n",
    becomes: "",
    tests: calls,
  },
  {
    slip: "a call whose caller has left is made",
    file: "client/src/client.ts",
    code: "          if (signal?.aborted) throw closedError(signal, connection.error);\n",
    becomes: "",
    tests: calls,
  },
  {
    slip: "a page that is back waits for requests from before its sleep",
    file: sse,
    code: "      requests.wake();\n",
    becomes: "",
    tests: streams,
  },
  {
    slip: "requests outlive their client",
    file: sse,
    code: "close: async () => requests.close(),",
    becomes: "close: async () => {},",
    tests: streams,
  },
  {
    slip: "a message too long for a proxy's headers is sent for ever",
    file: sse,
    code: "status === 414 || status === 431",
    becomes: "status === 414",
    tests: streams,
  },
  {
    slip: "one stream that is lost makes all look lost",
    file: sse,
    code: 'if (all.some(({ state }) => state === "pending")) connection.change("open");\n      else if (lost',
    becomes: "if (lost",
    tests: streams,
  },
  {
    slip: "a name is not said in questions",
    file: sse,
    code: '...(userId === undefined ? {} : { "x-user-id": userId }),',
    becomes: "",
    tests: streams,
  },
];
