/** What the client says of refusals, on the command line as well. */
import type { Guard } from "../guard.ts";

const render = ["test/client/render.test.ts"];
const socket = ["test/client/web-socket-transcripts.test.ts"];
const explain = ["test/client/explain.test.ts"];

export const refusalGuards: readonly Guard[] = [
  {
    slip: "a start comes as an event without its number",
    file: "client/src/connection/web-socket.ts",
    code: "data: { json: startOf(id) } }",
    becomes: "data: { json: {} } }",
    tests: socket,
  },
  {
    slip: "a token that failed leaves no reason",
    file: "client/src/connection/web-socket.ts",
    code: "    attempts.withoutToken(cause);\n",
    becomes: "",
    tests: socket,
  },
  {
    slip: "a refusal of one call is the whole connection's",
    file: "client/src/connection/web-socket.ts",
    code: "if (id !== null || error",
    becomes: "if (error",
    tests: socket,
  },
  {
    slip: "a refusal loses its cause",
    file: "client/src/errors.ts",
    code: "{ ...refusal, message: error.message, cause }",
    becomes: "{ ...refusal, message: error.message }",
    tests: explain,
  },
  {
    slip: "an unheard refusal that is final is asked again",
    file: "client/src/errors.ts",
    code: "(retryable && unheard)",
    becomes: "unheard",
    tests: explain,
  },
  {
    slip: "what the server told is not kept as the cause",
    file: "client/src/connection/explain.ts",
    code: "    cause: told,\n",
    becomes: "",
    tests: explain,
  },
  {
    slip: "a line end is doubled",
    file: "client/src/cli/render.ts",
    code: '    this.#atLineStart = visible.endsWith("\\n");\n',
    becomes: "    this.#atLineStart = false;\n",
    tests: render,
  },
  {
    slip: "data beside a text of a tool is dropped",
    file: "client/src/cli/render.ts",
    code: "text !== undefined && data === undefined\n",
    becomes: "text !== undefined\n",
    tests: render,
  },
  {
    slip: "a place that is quoted twice is listed twice",
    file: "client/src/cli/render-message.ts",
    code: "[...new Set(places)]",
    becomes: "[...places]",
    tests: render,
  },
  {
    slip: "a file's content is written as its address",
    file: "client/src/cli/render-message.ts",
    code: 'url === undefined || url.startsWith("data:") ? undefined : url',
    becomes: "url",
    tests: render,
  },
  {
    slip: "control characters of a history are written",
    file: "client/src/cli/render-message.ts",
    code: '[paint(part.final ? "cyan" : "dim", printable(part.text))]',
    becomes: '[paint(part.final ? "cyan" : "dim", part.text)]',
    tests: render,
  },
  {
    slip: "-h is unknown",
    file: "client/src/cli/arguments.ts",
    code: ', short: "h"',
    becomes: "",
    tests: ["test/client/session.test.ts"],
  },
  {
    slip: "blank lines are sent",
    file: "client/src/cli/chat.ts",
    code: 'if (line.trim() !== "") exitCode',
    becomes: "exitCode",
    tests: ["test/client/cli.test.ts"],
  },
];
