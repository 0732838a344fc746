/** What a bot's code and its provider may do wrong, what is told of it, and what a run holds of its steps. */
import type { Guard } from "../guard.ts";

const steps = ["test/bots/kept-steps.test.ts"];
const after = ["test/bots/after-a-run.test.ts"];
const shipped = ["test/bots/shipped-model.test.ts"];
const scripted = ["test/bots/scripted-model.test.ts"];
const testing = ["test/server/test-server.test.ts"];
const retries = ["test/bots/retrying-fetch.test.ts"];

export const botFailureGuards: readonly Guard[] = [
  {
    slip: "a result that comes again counts twice",
    file: "src/bots/exchange/kept-steps.ts",
    code: "this.#count(result.text.length - (before?.text.length ?? 0));",
    becomes: "this.#count(result.text.length);",
    tests: steps,
  },
  {
    slip: "steps that were forgotten go on counting",
    file: "src/bots/exchange/kept-steps.ts",
    code: "    this.#characters -= charactersOf(step);\n",
    becomes: "",
    tests: steps,
  },
  {
    slip: "late results of a step that was cut, and forgotten, count",
    file: "src/bots/exchange/kept-steps.ts",
    code: "          if (this.#byCall.get(id) === this.#steps[at]) this.#byCall.set(id, shorter);\n",
    becomes: "",
    tests: steps,
  },
  {
    slip: "a key that is cut in two is written",
    file: "src/bots/failures/thrown.ts",
    code: "cutText(withoutKeys(cutText(text, readAtMost)), messageAtMost)",
    becomes: "withoutKeys(cutText(text, messageAtMost))",
    tests: ["test/bots/thrown.test.ts"],
  },
  {
    slip: "an application's own listener is passed over",
    file: "src/bots/isolation/stray-errors.ts",
    code: 'else if (process.listenerCount("unhandledRejection") === 1) throw reason;',
    becomes: "else throw reason;",
    tests: ["test/faults/stray-errors.test.ts"],
    named: "an application's own listeners are told of its own",
  },
  {
    slip: "a reload that fails takes the bots along",
    file: "src/bots/catalogue.ts",
    code: "    const byId = new Map<string, Bot>();\n    for",
    becomes: "    const byId = new Map<string, Bot>();\n    this.#bots = byId;\n    for",
    tests: ["test/bots/bot.test.ts"],
  },
  {
    slip: "a thread that cannot be repaired fails the run",
    file: "src/bots/run/run-bot.ts",
    code: '    } catch (cause) {\n      this.#options.onFailure?.("a bot\'s thread could not be repaired", cause);\n    }',
    becomes: "    } finally {\n    }",
    tests: ["test/bots/thread-repair.test.ts"],
  },
  {
    slip: "what a guard took back is the answer",
    file: "src/bots/run/run-bot.ts",
    code: 'const withheld = isTakenBack ? "" : this.#withheld?.text || undefined;',
    becomes: "const withheld = this.#withheld?.text || undefined;",
    tests: ["test/bots/answer.test.ts"],
  },
  {
    slip: "events come after the end",
    file: "src/bots/run/run-bot.ts",
    code: '      signal.removeEventListener("abort", onAbort);\n      this.#writer.close();',
    becomes: '      signal.removeEventListener("abort", onAbort);',
    tests: after,
  },
  {
    slip: "the listener of a run's signal stays",
    file: "src/bots/run/run-bot.ts",
    code: '      signal.removeEventListener("abort", onAbort);\n      this.#writer.close();',
    becomes: "      this.#writer.close();",
    tests: after,
  },
  {
    slip: "a bot that is stopped works on",
    file: "src/bots/run/run-bot.ts",
    code: "      this.#stopping.abort(signal.reason);\n",
    becomes: "",
    tests: after,
  },
  {
    slip: "a run that was stopped before it began works",
    file: "src/bots/run/run-bot.ts",
    code: "    if (signal.aborted) onAbort();\n",
    becomes: "",
    tests: after,
  },
  {
    slip: "what became of a request that was stopped is not told",
    file: "src/bots/provider/retrying-fetch.ts",
    code: "if (!again || signal?.aborted)",
    becomes: "if (!again)",
    tests: retries,
  },
  {
    slip: "a token is said that comes after its model's end",
    file: "src/bots/run/callbacks.ts",
    code: "if (span === undefined || !span.open || index.completion > 0) return;",
    becomes: "if (span === undefined || index.completion > 0) return;",
    tests: ["test/bots/callback-rules.test.ts"],
  },
  {
    slip: "a reasoning model is given a temperature",
    file: "src/shipped/model.ts",
    code: "isReasoningModel(name) ? {} :",
    becomes: "",
    tests: shipped,
  },
  {
    slip: "a model's name ends at its second colon",
    file: "src/shipped/model.ts",
    code: 'const name = rest.join(":");',
    becomes: 'const name = rest[0] ?? "";',
    tests: shipped,
  },
  {
    slip: "every request is retried sixteen times",
    file: "src/shipped/model.ts",
    code: "    maxRetries: 0,\n  };",
    becomes: "  };",
    tests: shipped,
  },
  {
    slip: "an empty key is one",
    file: "src/shipped/model.ts",
    code: "(OPENAI_API_KEY || undefined)",
    becomes: "OPENAI_API_KEY",
    tests: shipped,
  },
  {
    slip: "the last reply does not come again",
    file: "src/testing/scripted-model.ts",
    code: "replies[Math.min(call, replies.length - 1)] ?? {}",
    becomes: "replies[call] ?? {}",
    tests: scripted,
  },
  {
    slip: "a stopped reply waits",
    file: "src/testing/scripted-model.ts",
    code: "await Promise.race([until, aborted.promise]);",
    becomes: "await until;",
    tests: scripted,
  },
  {
    slip: "calls of one message share an id",
    file: "src/testing/scripted-model.ts",
    code: "toolCalls.map(({ name, args, id }, index) =>",
    becomes: 'toolCalls.map(({ name, args, id = "call" }, index) =>',
    tests: scripted,
  },
  {
    slip: "a test's server listens on when it is disposed of",
    file: "src/testing/test-server.ts",
    code: "  starting.defer(() => server.close(0));\n  await server.app",
    becomes: "  await server.app",
    tests: testing,
  },
  {
    slip: "what bots threw stays for other tests",
    file: "src/testing/test-server.ts",
    code: "  starting.defer(() => [...thrown.keys()].forEach((runId) => void all.delete(runId)));\n",
    becomes: "",
    tests: testing,
  },
  {
    slip: "a span's error is the run's",
    file: "src/testing/test-server.ts",
    code: "if (span !== undefined || error.cause === undefined) return;",
    becomes: "if (error.cause === undefined) return;",
    tests: testing,
  },
  {
    slip: "of two waits that a provider asks for the rougher one is taken",
    file: "src/bots/provider/retry-after.ts",
    code: 'return exactRetryAfterOf(headers) ?? parseRetryAfterMs(headers.get("retry-after"));',
    becomes: 'return parseRetryAfterMs(headers.get("retry-after")) ?? exactRetryAfterOf(headers);',
    tests: retries,
  },
];
