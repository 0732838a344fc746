/** The chat on a terminal. */
import type { Guard } from "../guard.ts";

const session = ["test/client/session.test.ts"];

export const terminalGuards: readonly Guard[] = [
  {
    slip: "a server that was there a moment later is taken for none",
    file: "client/src/cli/session.ts",
    code: "        clearTimeout(this.#unreached);\n",
    becomes: "",
    tests: session,
  },
];
