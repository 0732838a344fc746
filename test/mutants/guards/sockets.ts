/** WebSockets: their frames, calls and ends. */
import type { Guard } from "../guard.ts";

export const socketGuards: readonly Guard[] = [
  {
    slip: "a token that expires now is valid for another second",
    file: "src/server/connections/expiries.ts",
    code: "if (expiresAtMs > now) continue;",
    becomes: "if (expiresAtMs >= now) continue;",
    tests: ["test/server/expiries.test.ts"],
  },
  {
    slip: "a subscription is released twice",
    file: "src/server/connections/socket-connection.ts",
    code: "      if (!open) return;\n      open = false;\n",
    becomes: "",
    tests: ["test/server/socket-parts.test.ts"],
  },
  {
    slip: "marks of any number are read",
    file: "src/server/connections/call-input.ts",
    code: "  if (Object.keys(values).length > maxMarks) return undefined;\n",
    becomes: "",
    tests: ["test/server/call-input.test.ts"],
  },
  {
    slip: "a socket is read on as soon as one call is taken",
    file: "src/server/connections/call-queue.ts",
    code: "if (this.#calls.length < maxWaitingCalls && this.#bytes <= maxWaitingBytes) {",
    becomes: "if (this.#calls.length >= 0) {",
    tests: ["test/server/call-queue.test.ts"],
  },
  {
    slip: "what waits when a socket closes is worked on",
    file: "src/server/connections/frames/frame-inlet.ts",
    code: "    this.#waiting?.splice(0);\n",
    becomes: "",
    tests: ["test/server/socket-parts.test.ts"],
  },
  {
    slip: "a socket that was held twice is read after the first release",
    file: "src/server/connections/frames/frame-inlet.ts",
    code: "      if (this.#holds === 0) this.#webSocket.resume();",
    becomes: "      this.#webSocket.resume();",
    tests: ["test/server/socket-parts.test.ts"],
  },
  {
    slip: "a frame costs what it is long",
    file: "src/server/connections/frames/frame-inlet.ts",
    code: "charge(text.length + bytesOfFrame)",
    becomes: "charge(text.length)",
    tests: ["test/server/socket-parts.test.ts"],
  },
  {
    slip: "a refused socket is never terminated",
    file: "src/server/connections/websocket-route.ts",
    code: "        terminateLater(webSocket);\n      }",
    becomes: "      }",
    tests: ["test/security/silent-sockets.test.ts"],
  },
];
