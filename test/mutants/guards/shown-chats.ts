/** What a chat shows of its messages, and the chunks that the AI SDK makes its message of. */
import type { Guard } from "../guard.ts";

const chat = ["test/react/sent-transcripts.test.ts"];
const history = ["test/react/history.test.ts"];
const turns = ["test/react/turns.test.ts"];
const blocks = ["test/react/ui-blocks.test.ts"];
const sent = ["test/react/sent-blocks.test.ts"];

export const shownChatGuards: readonly Guard[] = [
  {
    slip: "what became of a message hides that the conversation cannot be read",
    file: "client/src/react/chat.ts",
    code: "error: problem ?? errorOf(messages.at(-1)),",
    becomes: "error: errorOf(messages.at(-1)) ?? problem,",
    tests: chat,
  },
  {
    slip: "what is sent comes twice, by its run and by the watch",
    file: "client/src/react/chat.ts",
    code: 'const only: SendInput["only"] = ["runStart"];',
    becomes: 'const only: SendInput["only"] = undefined;',
    tests: chat,
  },
  {
    slip: "a typed input is sent again as its text",
    file: "client/src/react/chat.ts",
    code: "this.send(last.input ?? last.text)",
    becomes: "this.send(last.text)",
    tests: chat,
  },
  {
    slip: "a client that was closed leaves a message on its way",
    file: "client/src/react/chat.ts",
    code: "      await run.ended;\n",
    becomes: "",
    tests: chat,
  },
  {
    slip: "a typed input from the history is none",
    file: "client/src/react/turn.ts",
    code: "input: inputIn(parts), userId",
    becomes: "input: undefined, userId",
    tests: chat,
  },
  {
    slip: "a refusal's wait is lost",
    file: "client/src/react/turn.ts",
    code: "{ code, message, retryable, retryAfterMs, ...(detail && { detail }) };\n    this.#phase",
    becomes: "{ code, message, retryable, ...(detail && { detail }) };\n    this.#phase",
    tests: turns,
  },
  {
    slip: "an answer is of the time when it began",
    file: "client/src/react/turn.ts",
    code: "const { runId, at } = end ?? start ?? {};",
    becomes: "const { runId, at } = start ?? end ?? {};",
    tests: turns,
  },
  {
    slip: "a message that was deleted is still shown",
    file: "client/src/react/turns.ts",
    code: "    this.#turns.delete(runId);\n    this.#ordered = undefined;",
    becomes: "    this.#turns.delete(runId);",
    tests: turns,
  },
  {
    slip: "earlier pages are loaded twice at a time",
    file: "client/src/react/history.ts",
    code: "    this.#loadingEarlier ??= this.#loadEarlier()",
    becomes: "    this.#loadingEarlier = this.#loadEarlier()",
    tests: history,
  },
  {
    slip: "a failed page of earlier ones can never be loaded",
    file: "client/src/react/history.ts",
    code: "    this.#loadingEarlier ??= this.#loadEarlier().finally(() => {\n      this.#loadingEarlier = undefined;\n    });",
    becomes:
      "    this.#loadingEarlier ??= this.#loadEarlier().then(() => {\n      this.#loadingEarlier = undefined;\n    });",
    tests: history,
  },
  {
    slip: "a trace goes to the person's message, too",
    file: "client/src/react/history.ts",
    code: 'message.role === "ai" && message.runId === runId',
    becomes: "message.runId === runId",
    tests: history,
  },
  {
    slip: "a trace that could not be read ends a program where nobody waits for it",
    file: "client/src/react/traces.ts",
    code: "    loading.catch(() => this.#loads.delete(runId));\n    return loading;",
    becomes: "    return loading.catch((error) => { this.#loads.delete(runId); throw error; });",
    tests: history,
  },
  {
    slip: "a tool that has ended is taken up again",
    file: "client/src/ai-sdk/sent-block.ts",
    code: "&& endOf(before.of) === undefined;",
    becomes: ";",
    tests: sent,
  },
  {
    slip: "what could not be told is taken for told",
    file: "client/src/ai-sdk/sent-block.ts",
    code: "    if (chunks === undefined) this.#block = before;\n",
    becomes: "",
    tests: sent,
  },
  {
    slip: "after a reset pieces go to what was said before",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: "      this.#sent = [];\n      this.#growing.clear();",
    becomes: "      this.#sent = [];",
    tests: blocks,
  },
  {
    slip: "a text that was said again among others goes on in the first",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: "if (own !== undefined && others.length === 0)",
    becomes: "if (own !== undefined)",
    tests: blocks,
  },
  {
    slip: "a report goes to a tool that has ended",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: ' && block.of.state === "running"',
    becomes: "",
    tests: blocks,
  },
  {
    slip: "an error discards what is queued",
    file: "client/src/ai-sdk/chat-transport.ts",
    code: "{ highWaterMark: 0 },",
    becomes: "{ highWaterMark: 10 },",
    tests: ["test/react/transport-transcripts.test.ts"],
  },
];
