/** The chat on a terminal, and `langwire dev`. */
import type { Guard } from "../guard.ts";

const session = ["test/client/session.test.ts"];
const watch = ["test/cli/file-watch.test.ts"];

export const terminalGuards: readonly Guard[] = [
  {
    slip: "a server that was there a moment later is taken for none",
    file: "client/src/cli/session.ts",
    code: "        clearTimeout(this.#unreached);\n",
    becomes: "",
    tests: session,
  },
  {
    slip: "a folder that was removed and made again is watched no more",
    file: "src/cli/dev/file-watch.ts",
    code: "      if (before?.inode === inode) continue;\n",
    becomes: "      if (before !== undefined) continue;\n",
    tests: watch,
  },
  {
    slip: "a folder that is made later is never watched",
    file: "src/cli/dev/file-watch.ts",
    code: "      if (inode === undefined && dirname(folder) !== folder) this.#add(folder);\n",
    becomes: "",
    tests: watch,
  },
  {
    slip: "Ctrl-C at the prompt cancels a run that is over",
    file: "client/src/cli/session.ts",
    code: "    } finally {\n      this.#running = undefined;\n    }",
    becomes: "    }",
    tests: session,
  },
];
