/** What bots' callbacks, failures and threads come to. */
import type { Guard } from "../guard.ts";

const rules = ["test/bots/callback-rules.test.ts"];
const withheld = ["test/bots/withheld-text.test.ts"];
const held = ["test/bots/after-a-run.test.ts"];
const names = ["test/bots/failure-names.test.ts"];
const repair = ["test/bots/thread-repair.test.ts"];

export const botRuleGuards: readonly Guard[] = [
  {
    slip: "what a call that was cut had counted is lost",
    file: "src/bots/run/model/model-events.ts",
    code: "    if (counts) this.#count(span, message.usage_metadata);\n",
    becomes: "",
    tests: rules,
  },
  {
    slip: "a model that streams in both ways says everything twice",
    file: "src/bots/run/callbacks.ts",
    code: '    if (span.streamedBy === "events") return;\n',
    becomes: "",
    tests: rules,
  },
  {
    slip: "the second candidate is said, too",
    file: "src/bots/run/callbacks.ts",
    code: " || index.completion > 0) return;",
    becomes: ") return;",
    tests: rules,
  },
  {
    slip: "the failure of a span that is hidden is told",
    file: "src/bots/run/span-writer.ts",
    code: '    if (span.hidden) return;\n    this.emit({\n      type: "error"',
    becomes: '    this.emit({\n      type: "error"',
    tests: rules,
  },
  {
    slip: "a branch that goes on takes back what another's model said",
    file: "src/bots/run/span-writer.ts",
    code: "this.#resetFailedModels((failed) => failed.isBelow(span));",
    becomes: "this.#resetFailedModels(() => true);",
    tests: rules,
  },
  {
    slip: "what a failed model said is taken back twice",
    file: "src/bots/run/span-writer.ts",
    code: "      this.#failedModels.delete(failed);\n",
    becomes: "",
    tests: rules,
  },
  {
    slip: "a question is asked once for each span that its interrupt passes through",
    file: "src/bots/threads/interrupts.ts",
    code: "          this.#asked.add(id ?? value);\n",
    becomes: "",
    tests: rules,
  },
  {
    slip: "an interrupt that was answered inside fails the run",
    file: "src/bots/threads/interrupts.ts",
    code: "return this.raised && !hasAnswer;",
    becomes: "return this.raised;",
    tests: rules,
  },
  {
    slip: "an interrupt that LangGraph refused is forgotten",
    file: "src/bots/threads/interrupts.ts",
    code: "if (this.refused || isInterruptedState(value))",
    becomes: "if (isInterruptedState(value))",
    tests: rules,
  },
  {
    slip: "a fallback that began right away does not make up for what broke off",
    file: "src/bots/run/model/broken-part.ts",
    code: "model.endedAtBegin >= endedAtEnd",
    becomes: "model.endedAtBegin > endedAtEnd",
    tests: ["test/bots/broken-answer.test.ts"],
  },
  {
    slip: "an answer counts for two models that said the same",
    file: "src/bots/run/model/broken-part.ts",
    code: '    rest = rest.replace(said, "");\n',
    becomes: "",
    tests: ["test/bots/broken-answer.test.ts", "test/bots/broken-part.test.ts"],
  },
  {
    slip: "what follows a repair runs",
    file: "src/bots/threads/thread-repair.ts",
    code: "  if (repaired && state.next.length > 0) await graph.updateState(config, null, endOfGraph);\n",
    becomes: "",
    tests: repair,
  },
  {
    slip: "a later message's results answer an earlier one's calls",
    file: "src/bots/threads/open-tool-calls.ts",
    code: 'if (message === undefined || message.type === "ai") break;',
    becomes: "if (message === undefined) break;",
    tests: repair,
  },
  {
    slip: "an exchange is remembered without the one behind it",
    file: "src/bots/memory.ts",
    code: "    if (first < 0) break;",
    becomes: "    if (first < 0) continue;",
    tests: ["test/bots/bot.test.ts"],
  },
  {
    slip: "requests of later runs count for one that is over",
    file: "src/bots/provider/provider-calls.ts",
    code: "    held.run = undefined;\n",
    becomes: "",
    tests: held,
  },
  {
    slip: "a stray error stops a run that is over",
    file: "src/bots/run/run-bot.ts",
    code: "        atWork.crash = undefined;\n",
    becomes: "",
    tests: held,
  },
  {
    slip: "what an agent inside of a guard answers is told before the guard has seen it",
    file: "src/bots/exposure/withheld-text.ts",
    code: "{ log: _written, output: _said, ...finish }",
    becomes: "{ log: _written, ...finish }",
    tests: withheld,
  },
  {
    slip: "what is withheld is told in a call's arguments",
    file: "src/bots/exposure/withheld-text.ts",
    code: "const { text: _written, ...call } = event;\n        if (call.name !== undefined) this.#emit(call);",
    becomes: "if (event.name !== undefined || event.text) this.#emit(event);",
    tests: withheld,
  },
  {
    slip: "what stands twice in a payload is taken for a cycle",
    file: "src/bots/run/payload.ts",
    code: "      this.#above.delete(value);\n",
    becomes: "",
    tests: ["test/bots/payload.test.ts"],
  },
  {
    slip: "a value that did not change is told again",
    file: "src/bots/run/model/partial-outputs.ts",
    code: "    if (told === written.told) return;\n",
    becomes: "",
    tests: ["test/bots/written-outputs.test.ts"],
  },
  {
    slip: "a failure that is wrapped has another name",
    file: "src/bots/failures/failure-names.ts",
    code: "      link = causeOf(link);\n",
    becomes: "      link = undefined;\n",
    tests: names,
  },
  {
    slip: "a failure has another name in each span",
    file: "src/bots/failures/failure-names.ts",
    code: "    if (isObject(thrown)) this.#known.set(thrown, named);\n",
    becomes: "",
    tests: names,
  },
  {
    slip: "a bot says what only the server may",
    file: "src/bots/failures/failure-names.ts",
    code: " || !mayBeSaidByBots(code)",
    becomes: "",
    tests: names,
  },
];
