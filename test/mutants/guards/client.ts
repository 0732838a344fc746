/** The client's core and its connections: what it asks again, what it tells once, what it gives up in time. */
import type { Guard } from "../guard.ts";

const subscription = ["test/client/subscription.test.ts"];
const places = ["test/client/subscription-places.test.ts"];
const refusals = ["test/client/subscription-refusals.test.ts"];
const ends = ["test/client/subscription-ends.test.ts"];
const watches = ["test/client/watch-transcripts.test.ts"];
const sockets = ["test/client/heartbeat-socket.test.ts"];
const calls = ["test/client/calls.test.ts"];
const requests = ["test/client/idle-requests.test.ts"];
const streams = ["test/client/idle-streams.test.ts"];
const token = ["test/client/token.test.ts"];
const sse = ["test/client/sse.test.ts"];

export const clientGuards: readonly Guard[] = [
  {
    slip: "the last event comes twice",
    file: "client/src/subscription.ts",
    code: "return seq > last ||",
    becomes: "return seq >= last ||",
    tests: places,
  },
  {
    slip: "events of new runs are dropped after a crash",
    file: "client/src/subscription.ts",
    code: ' || (type === "runStart" && seq < last)',
    becomes: " || (false && type)",
    tests: places,
  },
  {
    slip: "an accepted run is failed by a passing refusal",
    file: "client/src/subscription.ts",
    code: "(this.#accepted && (error.retryable || error.status !== undefined))",
    becomes: "false",
    tests: refusals,
  },
  {
    slip: "`retryAfterMs` is ignored",
    file: "client/src/subscription.ts",
    code: "(error?.retryAfterMs ?? 0) + ",
    becomes: "",
    tests: places,
  },
  {
    slip: "backoff is never reset",
    file: "client/src/subscription.ts",
    code: "    this.#backoff.reset();\n",
    becomes: "",
    tests: places,
  },
  {
    slip: "an unread watch is unbounded",
    file: "client/src/watch.ts",
    code: "    if (this.#queue.length > maxQueuedEvents) {",
    becomes: "    if (this.#queue.length > 1e9) {",
    tests: watches,
  },
  {
    slip: "a subscription that is replaced goes on telling",
    file: "client/src/subscription.ts",
    code: "        isCurrent = false;\n",
    becomes: "",
    tests: ends,
  },
  {
    slip: "a stream that ended without its end is left ended",
    file: "client/src/subscription.ts",
    code: "    this.#reopen();\n  }\n\n  async",
    becomes: "  }\n\n  async",
    tests: places,
  },
  {
    slip: "one message that is too large fails everything",
    file: "client/src/connection/web-socket.ts",
    code: "    largest?.fail(",
    becomes: "    for (const one of dependents) one.fail(",
    tests: subscription,
  },
  {
    slip: "of messages that are too large the one with most characters fails",
    file: "client/src/connection/web-socket.ts",
    code: '.replace(/%../g, "x").length',
    becomes: '.replace(/(%..){1,3}/g, "x").length',
    tests: subscription,
  },
  {
    slip: "what comes back together is too large for one frame",
    file: "client/src/connection/heartbeat-socket.ts",
    code: "data.length < maxBatchLength",
    becomes: "data.length < 1e9",
    tests: subscription,
  },
  {
    slip: "a handshake may take for ever",
    file: "client/src/connection/heartbeat-socket.ts",
    code: "      this.#timer = setTimeout(() => this.#abandon(), connectTimeoutMs);\n",
    becomes: "",
    tests: sockets,
  },
  {
    slip: "a stream that is not answered is waited for",
    file: "client/src/connection/idle-timeout-event-source.ts",
    code: "        this.#wait(connectTimeoutMs);\n      }\n\n      override add",
    becomes: "      }\n\n      override add",
    tests: streams,
  },
  {
    slip: "a token may take for ever",
    file: "client/src/connection/transport.ts",
    code: "    timer = setTimeout(reject, timeoutMs, ",
    becomes: "    timer = setTimeout(() => {}, timeoutMs, ",
    tests: token,
  },
  {
    slip: "a call holds the connection after it is answered",
    file: "client/src/client.ts",
    code: "        release();\n",
    becomes: "",
    tests: calls,
  },
  {
    slip: "a change is made a second time",
    file: "client/src/client.ts",
    code: "if (!isUnheard(error) || !again) throw error;",
    becomes: "if (!isUnheard(error)) throw error;",
    tests: calls,
  },
  {
    slip: "a call listens to its signal after it is answered",
    file: "client/src/client.ts",
    code: '        signal?.removeEventListener("abort", abort);\n',
    becomes: "",
    tests: calls,
  },
  {
    slip: "a stream that is closed is woken",
    file: "client/src/connection/idle-timeout-event-source.ts",
    code: "        host.streams.delete(this);\n",
    becomes: "",
    tests: streams,
  },
  {
    slip: "the silence that is allowed never shrinks",
    file: "client/src/connection/idle-timeout-event-source.ts",
    code: '        if (type === "message") host.factor = 1;\n',
    becomes: "",
    tests: streams,
  },
  {
    slip: "a connection over HTTP is never idle",
    file: "client/src/sse.ts",
    code: "if (state === undefined) states.delete(subscription);",
    becomes: "if (state === undefined) return;",
    tests: sse,
  },
  {
    slip: "a socket that is closed goes on telling",
    file: "client/src/connection/heartbeat-socket.ts",
    code: "    if (this.#state === CLOSED) return;\n    this.#liveness?.heard();\n",
    becomes: "    this.#liveness?.heard();\n",
    tests: sockets,
  },
  {
    slip: "a close frame's answer is waited for for ever",
    file: "client/src/connection/heartbeat-socket.ts",
    code: "      this.#timer = setTimeout(() => this.#end(), closeTimeoutMs);\n",
    becomes: "",
    tests: sockets,
  },
  {
    slip: "a message that is none ends a program",
    file: "client/src/connection/web-socket.ts",
    code: 'if ((type && type !== "data") || "json" in data) return message;',
    becomes: "if (type || data) return message;",
    tests: subscription,
  },
  {
    slip: "why a socket did not open is asked for a client that is closed",
    file: "client/src/connection/explain.ts",
    code: 'if (state === "closed") timeout.abort();',
    becomes: "void state;",
    tests: ["test/client/explain.test.ts"],
  },
  {
    slip: "a question over HTTP may take for ever",
    file: "client/src/connection/idle-timeout-fetch.ts",
    code: "connectTimeoutMs * this.#factor)",
    becomes: "1e9)",
    tests: requests,
  },
  {
    slip: "a token that came leaves its timer",
    file: "client/src/connection/transport.ts",
    code: "  } finally {\n    clearTimeout(timer);\n  }",
    becomes: "  }",
    tests: token,
  },
];
