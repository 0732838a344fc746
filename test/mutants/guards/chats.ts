/** The React chat, the AI SDK's transport and the page: what people see of a run. */
import type { Guard } from "../guard.ts";

const aiSdk = ["test/react/ai-sdk.test.ts", "test/react/ui-chunks.test.ts"];
const ends = ["test/react/ai-sdk-ends.test.ts"];
const chunks = ["test/react/ui-chunks.test.ts"];
const chat = ["test/react/chat-windows.test.ts"];
const history = ["test/react/history.test.ts"];
const retry = ["test/react/retry.test.ts"];
const refusals = ["test/react/chat-refusals.test.ts"];
const turns = ["test/react/turns.test.ts"];
const useChat = ["test/react/use-chat.test.ts"];

export const chatGuards: readonly Guard[] = [
  {
    slip: "history is read before the watch",
    file: "client/src/react/chat.ts",
    code: "    await watch.started;\n",
    becomes: "",
    tests: chat,
  },
  {
    slip: "a run whose watch was accepted too late is never heard of",
    file: "client/src/react/chat.ts",
    code: "        if (!wasWatched && this.#lastEventId === undefined) this.#unwatch();\n",
    becomes: "",
    tests: chat,
  },
  {
    slip: "messages stand as they arrived",
    file: "client/src/react/turns.ts",
    code: ".sort((a, b) => compare(a.position, b.position))",
    becomes: "",
    tests: chat,
  },
  {
    slip: "whoever goes away stops the run",
    file: "client/src/react/chat.ts",
    code: "    this.#watching?.abort();\n",
    becomes: "    this.#watching?.abort();\n    void this.stop();\n",
    tests: ["test/react/going-away.test.ts"],
  },
  {
    slip: "a tool that was at work stays open when its run has ended",
    file: "client/src/ai-sdk/blocks.ts",
    code: 'return { state: "output-error", errorText: unfinished } as const;',
    becomes: "return undefined;",
    tests: ends,
  },
  {
    slip: "a server's id for a new conversation is in its markup",
    file: "client/src/react/use-chat.ts",
    code: '    () => "",\n',
    becomes: "    () => newConversationId,\n",
    tests: ["test/react/use-chat.test.ts"],
  },
  {
    slip: "what is void is kept",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: "const isBroken = changes.includes(undefined);",
    becomes: "const isBroken = false;",
    tests: chunks,
  },
  {
    slip: "text behind a call goes into the part before it",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: 'if (event.type !== "token" && event.type !== "reasoning") this.#growing.clear();',
    becomes: "",
    tests: chunks,
  },
  {
    slip: "the arguments that a model writes are not handed on",
    file: "client/src/ai-sdk/sent-block.ts",
    code: 'if (inputTextDelta !== "")',
    becomes: 'if (inputTextDelta === "-")',
    tests: chunks,
  },
  {
    slip: "an answer that nobody said is no part",
    file: "src/protocol/fold/message-fold.ts",
    code: "return [...parts, this.#unsaid];",
    becomes: "return parts;",
    tests: ["test/protocol/fold.test.ts"],
  },
  {
    slip: "the answer is a part once more after it was read along",
    file: "src/protocol/fold/message-fold.ts",
    code: "if (finals.length > 0 || ",
    becomes: "if (",
    tests: ["test/protocol/fold.test.ts"],
  },
  {
    slip: "a source that leads into the page is a link",
    file: "client/page/parts/safe-address.ts",
    code: 'return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed : undefined;',
    becomes: "return parsed;",
    tests: ["test/page/safe-address.test.ts"],
  },
  {
    slip: "a second resume stops the run",
    file: "client/src/ai-sdk/chat-transport.ts",
    code: "const leave = () => run.detach();",
    becomes: "const leave = () => void run.cancel();",
    tests: aiSdk,
  },
  {
    slip: "a window without frames is never told",
    file: "client/src/react/frame-batch.ts",
    code: "    const waitMs = this.#frame === undefined ? withoutFramesMs : maxWaitMs;\n",
    becomes: "    if (this.#frame !== undefined) return;\n    const waitMs = withoutFramesMs;\n",
    tests: ["test/react/frame-batch.test.ts"],
  },
  {
    slip: "what was told now is told again",
    file: "client/src/react/frame-batch.ts",
    code: "    clearTimeout(this.#timer);\n",
    becomes: "",
    tests: ["test/react/frame-batch.test.ts"],
  },
  {
    slip: "another conversation begins with the first one's messages",
    file: "client/src/react/use-chat.ts",
    code: "const known = isFirst ? firstMessages.initialMessages : undefined;",
    becomes: "const known = firstMessages.initialMessages;",
    tests: useChat,
  },
  {
    slip: "a text goes on after its part has ended",
    file: "client/src/ai-sdk/sent-block.ts",
    code: "if (this.#isClosed || !now.text.",
    becomes: "if (!now.text.",
    tests: chunks,
  },
  {
    slip: "two models share a text",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: "this.#sent.find(({ isChanged, isText }) => isChanged && isText)",
    becomes: "this.#sent.find(({ isText }) => isText)",
    tests: chunks,
  },
  {
    slip: "the whole text is told once more",
    file: "client/src/ai-sdk/sent-block.ts",
    code: "now.text.slice(before.text.length)",
    becomes: "now.text",
    tests: chunks,
  },
  {
    slip: "a message is sent though its sender has left",
    file: "client/src/ai-sdk/chat-transport.ts",
    code: "    if (abortSignal?.aborted) throw abortSignal.reason;\n",
    becomes: "",
    tests: ends,
  },
  {
    slip: "an older page of history overwrites a newer",
    file: "client/src/react/history.ts",
    code: "    if (number < this.#shown) return;\n",
    becomes: "",
    tests: history,
  },
  {
    slip: "earlier messages are put before a page that they do not join",
    file: "client/src/react/history.ts",
    code: "    if (this.#cursor !== cursor) return;\n",
    becomes: "",
    tests: history,
  },
  {
    slip: "a trace that failed can never be read",
    file: "client/src/react/traces.ts",
    code: "    loading.catch(() => this.#loads.delete(runId));\n",
    becomes: "    loading.catch(() => {});\n",
    tests: history,
  },
  {
    slip: "a wait that is over goes on listening to the page",
    file: "client/src/react/retry.ts",
    code: "  stopListening();\n",
    becomes: "",
    tests: retry,
  },
  {
    slip: "what went wrong before stays beside the next message",
    file: "client/src/react/chat.ts",
    code: '    for (const work of ["earlier", "stop"] as const) this.#problems.delete(work);\n',
    becomes: "",
    tests: refusals,
  },
  {
    slip: "a run goes on after its end",
    file: "client/src/react/turns.ts",
    code: '    if (turn.phase === "over") return;\n',
    becomes: "",
    tests: turns,
  },
  {
    slip: "a page that is quoted twice is two sources",
    file: "client/src/ai-sdk/blocks.ts",
    code: "        if (part.url !== undefined && urls.has(part.url)) break;\n",
    becomes: "",
    tests: chunks,
  },
  {
    slip: "ids of calls that come again are one call",
    file: "client/src/ai-sdk/blocks.ts",
    code: "ids.has(own); again++",
    becomes: "false; again++",
    tests: chunks,
  },
];
