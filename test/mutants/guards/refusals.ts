/** What the client says of refusals, on the command line as well. */
import type { Guard } from "../guard.ts";

const explain = ["test/client/explain.test.ts"];

export const refusalGuards: readonly Guard[] = [
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
    slip: "blank lines are sent",
    file: "client/src/cli/chat.ts",
    code: 'if (line.trim() !== "") exitCode',
    becomes: "exitCode",
    tests: ["test/client/cli.test.ts"],
  },
];
