/** What of a bot's work is bounded, in number and in time, and where its graphs are looked for. */
import type { Guard } from "../guard.ts";

const graphs = ["test/bots/graphs.test.ts"];

export const botBoundGuards: readonly Guard[] = [
  {
    slip: "steps of a run are held without number",
    file: "src/bots/exchange/kept-steps.ts",
    code: "    if (this.#steps.length > stepsAtMost) this.#forget(this.#steps.shift());\n",
    becomes: "",
    tests: ["test/bots/kept-steps.test.ts"],
  },
  {
    slip: "a bot's end waits for a factory that never settles",
    file: "src/bots/isolation/bot-lifetime.ts",
    code: "await within(factory, factoryGraceMs);",
    becomes: "await factory;",
    tests: ["test/bots/bot-lifetime.test.ts"],
  },
  {
    slip: "a schema that fails later ends the process",
    file: "src/bots/definition/standard-schema.ts",
    code: "  result.catch(() => {});\n",
    becomes: "",
    tests: ["test/bots/typed-definition.test.ts"],
  },
  {
    slip: "a graph in a fallback is not found",
    file: "src/bots/threads/graphs.ts",
    code: 'for (const name of ["middle", "fallbacks"])',
    becomes: 'for (const name of ["middle"])',
    tests: graphs,
  },
  {
    slip: "a parent's checkpointer is a graph's own",
    file: "src/bots/threads/checkpointed-graphs.ts",
    code: 'typeof checkpointer === "object" && checkpointer !== null',
    becomes: "checkpointer !== undefined",
    tests: graphs,
  },
  {
    slip: "a classic executor is given no history",
    file: "src/bots/run/bot-input.ts",
    code: "chat_history: before",
    becomes: "chat_history: []",
    tests: graphs,
  },
];
