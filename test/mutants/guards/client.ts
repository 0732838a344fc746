/** The client: what it asks again, what it tells once. */
import type { Guard } from "../guard.ts";

const subscription = ["test/client/subscription.test.ts"];
const aiSdk = ["test/react/ai-sdk.test.ts", "test/react/ui-chunks.test.ts"];
const chunks = ["test/react/ui-chunks.test.ts"];
const chat = ["test/react/chat-windows.test.ts"];

export const clientGuards: readonly Guard[] = [
  {
    slip: "the last event comes twice",
    file: "client/src/subscription.ts",
    code: "return seq > last ||",
    becomes: "return seq >= last ||",
    tests: subscription,
  },
  {
    slip: "events of new runs are dropped after a crash",
    file: "client/src/subscription.ts",
    code: ' || (type === "runStart" && seq < last)',
    becomes: " || (false && type)",
    tests: subscription,
  },
  {
    slip: "an accepted run is failed by a passing refusal",
    file: "client/src/subscription.ts",
    code: "(this.#accepted && (error.retryable || error.status !== undefined))",
    becomes: "false",
    tests: subscription,
  },
  {
    slip: "`retryAfterMs` is ignored",
    file: "client/src/subscription.ts",
    code: "(error?.retryAfterMs ?? 0) + ",
    becomes: "",
    tests: subscription,
  },
  {
    slip: "backoff is never reset",
    file: "client/src/subscription.ts",
    code: "    this.#backoff.reset();\n",
    becomes: "",
    tests: subscription,
  },
  {
    slip: "an unread watch is unbounded",
    file: "client/src/watch.ts",
    code: "    if (this.#queue.length > maxQueuedEvents) {",
    becomes: "    if (this.#queue.length > 1e9) {",
    tests: subscription,
  },
  {
    slip: "a subscription that is replaced goes on telling",
    file: "client/src/subscription.ts",
    code: "        isCurrent = false;\n",
    becomes: "",
    tests: [...subscription, "test/client/reconnect.test.ts"],
  },
  {
    slip: "a stream that ended without its end is left ended",
    file: "client/src/subscription.ts",
    code: "    this.#reopen();\n  }\n\n  async",
    becomes: "  }\n\n  async",
    tests: subscription,
  },
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
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: "chunks.push(...this.#failTool(spanId, unfinished))",
    becomes: "void spanId",
    tests: ["test/react/ai-sdk-ends.test.ts"],
  },
  {
    slip: "a server's id for a new conversation is in its markup",
    file: "client/src/react/use-chat.ts",
    code: '    () => "",\n',
    becomes: "    () => newConversationId,\n",
    tests: ["test/react/use-chat.test.ts"],
  },
  {
    slip: "void reasoning is kept",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: "this.#step = this.#step.filter((entry) => entry.spanId !== spanId);",
    becomes:
      'this.#step = this.#step.filter((entry) => entry.spanId !== spanId || entry.chunk.type.startsWith("reasoning"));',
    tests: chunks,
  },
  {
    slip: "text after a reset goes into a part that is gone",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: "      if (part.spanId === spanId) this.#openParts.delete(id);\n",
    becomes: "      void part, id;\n",
    tests: chunks,
  },
  {
    slip: "models that speak at the same time have a step each",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: "    if (shared) return [];\n",
    becomes: "",
    tests: chunks,
  },
  {
    slip: "a late resume lacks the whole text",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: "if (!wasSaid(this.#answer, text)) chunks.push(...wholeText(runId, text));",
    becomes: "",
    tests: chunks,
  },
  {
    slip: "the whole text is said again after it was read along",
    file: "client/src/ai-sdk/ui-chunks.ts",
    code: "if (!wasSaid(this.#answer, text)) ",
    becomes: "",
    tests: chunks,
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
];
