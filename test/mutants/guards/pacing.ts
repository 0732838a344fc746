/** How much users and their connections may do at once, and how fast. */
import type { Guard } from "../guard.ts";

export const pacingGuards: readonly Guard[] = [
  {
    slip: "the connection that holds least is closed",
    file: "src/server/pacing/partial-input.ts",
    code: "if (bytes > mostBytes) [most",
    becomes: "if (mostBytes === 0 || bytes < mostBytes) [most",
    tests: ["test/server/read-turns.test.ts"],
  },
  {
    slip: "who was closed goes on counting",
    file: "src/server/pacing/partial-input.ts",
    code: "    this.#set(most, 0);\n    most.cutPartial();",
    becomes: "    most.cutPartial();",
    tests: ["test/server/read-turns.test.ts"],
  },
  {
    slip: "a held connection is read in the next turn",
    file: "src/server/pacing/read-turns.ts",
    code: "      if (!this.#held.has(next.socket)) resumedBytes",
    becomes: "      resumedBytes",
    tests: ["test/server/read-turns.test.ts"],
  },
  {
    slip: "a new query passes those that wait",
    file: "src/server/pacing/work-queue.ts",
    code: "if (this.#line.size === 0 && this.#mayBegin(user))",
    becomes: "if (this.#mayBegin(user))",
    tests: ["test/server/work-queue-model.test.ts"],
  },
  {
    slip: "who has nothing to take is slow",
    file: "src/server/pacing/stall-clock.ts",
    code: " || this.#socket.writableLength === 0) {",
    becomes: ") {",
    tests: ["test/server/stall-clock.test.ts"],
  },
  {
    slip: "a closed outlet is written on",
    file: "src/server/pacing/pieces.ts",
    code: "    if (outlet.gone) return;\n",
    becomes: "",
    tests: ["test/server/pieces.test.ts"],
  },
  {
    slip: "all pieces are written at once",
    file: "src/server/pacing/pieces.ts",
    code: "    await outlet.ready();\n",
    becomes: "",
    tests: ["test/server/pieces.test.ts"],
  },
  {
    slip: "a text is dropped with the first of its readers",
    file: "src/server/pacing/long-texts.ts",
    code: "if (text.holds.size === 0 && this.#texts.delete(key))",
    becomes: "if (this.#texts.delete(key))",
    tests: ["test/server/long-texts.test.ts"],
  },
  {
    slip: "texts over the limit are held",
    file: "src/server/pacing/long-texts.ts",
    code: "      for (const { holder } of stalled) holder.cut();\n",
    becomes: "",
    tests: ["test/server/long-texts.test.ts"],
  },
  {
    slip: "one stalled reader of many is cut for nothing",
    file: "src/server/pacing/long-texts.ts",
    code: "if (over <= 0 || stalled.length < holds.size) continue;",
    becomes: "if (over <= 0) continue;",
    tests: ["test/server/long-texts.test.ts"],
  },
  {
    slip: "addresses that hold nothing are kept",
    file: "src/server/pacing/partial-input.ts",
    code: "    else this.#addresses.delete(key);\n",
    becomes: "    else this.#addresses.set(key, ofAddress);\n",
    tests: ["test/server/read-turns.test.ts"],
  },
  {
    slip: "a text that one connection is sent twice counts once",
    file: "src/server/pacing/long-texts.ts",
    code: "    const hold: Hold = { holder };\n",
    becomes:
      "    const hold: Hold = [...text.holds].find((it) => it.holder === holder) ?? { holder };\n",
    tests: ["test/server/long-texts.test.ts"],
  },
];
