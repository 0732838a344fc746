/** What operators have of a server: its routes, metrics, log and end. */
import type { Guard } from "../guard.ts";

export const operatingGuards: readonly Guard[] = [
  {
    slip: "a closing server's clients wait for its end",
    file: "src/server/app.ts",
    code: "      connections.closeAll();\n",
    becomes: "",
    tests: ["test/server/closing.test.ts"],
  },
];
