/** What becomes of LangChain's callbacks. */
import type { Guard } from "../guard.ts";

const bots = ["callbacks", "who-speaks", "what-models-say", "tool-calls"].map(
  (name) => `test/bots/${name}.test.ts`,
);
const answers = ["test/bots/whose-doing.test.ts", "test/bots/answer.test.ts", ...bots];

export const botGuards: readonly Guard[] = [
  {
    slip: "candidates of `n` > 1 mix",
    file: "src/bots/run/model/model-events.ts",
    code: "message === undefined || span.candidates > 1",
    becomes: "message === undefined",
    tests: answers,
  },
  {
    slip: "output that was reasoning alone is not reset",
    file: "src/bots/run/span-writer.ts",
    code: "span?.sentText || span?.sentReasoning || ",
    becomes: "span?.sentText || ",
    tests: answers,
  },
  {
    slip: "a tool's inner model acts for the outer agent",
    file: "src/bots/run/span-tree.ts",
    code: '      if (span.kind === "tool") return undefined;\n',
    becomes: "",
    tests: answers,
  },
  {
    slip: "an interrupt inside a tool counts as a failure",
    file: "src/bots/run/callbacks.ts",
    code: "if (this.#writer.stopped(id, error)) this.handleToolEnd(undefined, id);\n    else ",
    becomes: "",
    tests: ["test/bots/whose-doing.test.ts"],
  },
  {
    slip: "a tool's text is the answer's",
    file: "src/bots/run/model/who-speaks.ts",
    code: "!model.nostream && outerTool === undefined && !structured",
    becomes: "!model.nostream && !structured",
    tests: answers,
  },
  {
    slip: "a call that a node answered is told of twice",
    file: "src/bots/run/tools/tool-events.ts",
    code: "if (toolCallId !== undefined) this.#asked.delete(toolCallId);",
    becomes: "",
    tests: answers,
  },
  {
    slip: "a graph that stopped to ask tells its finish",
    file: "src/bots/run/agent-events.ts",
    code: "    if (this.#writer.interrupts.raised) return;\n",
    becomes: "",
    tests: ["test/bots/threads.test.ts", ...answers],
  },
  {
    slip: "arguments are told at a level that hides them",
    file: "src/bots/run/agent-events.ts",
    code: "      ...(this.#writer.exposesTools && {\n        input: toPayload(action.input),",
    becomes: "      ...(true && {\n        input: toPayload(action.input),",
    tests: ["test/security/hidden-payloads.test.ts", ...bots],
  },
  {
    slip: "a call that was written before a fallback stands beside the fallback's",
    file: "src/bots/run/span-writer.ts",
    code: " || span?.calls !== undefined",
    becomes: "",
    tests: ["test/bots/tool-inputs.test.ts"],
  },
  {
    slip: "a call's arguments are written for everybody",
    file: "src/bots/run/model/tool-inputs.ts",
    code: "    if (!this.#writer.exposesTools) return;\n",
    becomes: "",
    tests: ["test/bots/tool-inputs.test.ts", "test/security/hidden-payloads.test.ts"],
  },
  {
    slip: "an agent in a tool tells its own state as the bot's",
    file: "src/bots/run/state/state-events.ts",
    code: "return node.outerTool === undefined ? node.parent : undefined;",
    becomes: "return node.parent;",
    tests: ["test/bots/state.test.ts"],
  },
  {
    slip: "what a node was sent is taken for the state",
    file: "src/bots/run/state/state-events.ts",
    code: " || triggers.includes(pushed)",
    becomes: "",
    tests: ["test/bots/state.test.ts"],
  },
  {
    slip: "a call that was cut goes to a provider without a result",
    file: "src/bots/exchange/exchange-recorder.ts",
    code: "storedExchange(withResults(said))",
    becomes: "storedExchange(said)",
    tests: ["test/bots/exchange.test.ts", "test/e2e/tool-memory.test.ts"],
  },
  {
    slip: "an agent forgets what its tools gave",
    file: "src/runs/lifecycle/finalizer.ts",
    code: "parts: partsOf?.(text), modelMessages, archive }",
    becomes: "parts: partsOf?.(text), archive }",
    tests: ["test/e2e/tool-memory.test.ts"],
  },
  {
    slip: "a tool's files go to who may not see its output",
    file: "src/bots/run/tools/tool-events.ts",
    code: "this.#writer.exposes(span) && this.#results",
    becomes: "this.#results",
    tests: ["test/bots/tool-results.test.ts", "test/security/hidden-payloads.test.ts"],
  },
  {
    slip: "a run ends for the pictures of its tools",
    file: "src/bots/run/content/tool-results.ts",
    code: "    if (url.length > this.#room) return named;\n",
    becomes: "",
    tests: ["test/bots/tool-results.test.ts"],
  },
  {
    slip: "an answer without an end is one",
    file: "src/bots/run/model/broken-part.ts",
    code: "if (!span.sendsFinishReason && !saidNothing) return undefined;",
    becomes: "return undefined;",
    tests: ["test/bots/provider-answers.test.ts", "test/bots/provider.test.ts", ...answers],
  },
  {
    slip: "half a character is never let go",
    file: "src/bots/run/model/model-events.ts",
    code: '    if (span.textHalf.half !== "") this.#text(span, endOfHalf(span.textHalf));\n',
    becomes: "",
    tests: ["test/bots/whole-characters.test.ts", ...answers],
  },
];
