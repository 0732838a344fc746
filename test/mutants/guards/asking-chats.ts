/** What a chat asks of its server, how often and from where on; its hooks, and its transport for the AI SDK. */
import type { Guard } from "../guard.ts";

const file = "client/src/react/chat.ts";
const tests = ["test/react/chat-transcripts.test.ts", "test/react/sent-transcripts.test.ts"];
const hooks = ["test/react/hook-options.test.ts"];
const blocks = ["test/react/ui-blocks.test.ts"];

export const askingChatGuards: readonly Guard[] = [
  {
    slip: "what was told of an answer is told again to who comes back",
    file,
    code: "      this.#lastEventId = watch.lastEventId;\n",
    becomes: "",
    tests,
  },
  {
    slip: "a watch waits for what it was refused for days ago",
    file,
    code: "      resetBackoff();\n",
    becomes: "",
    tests,
  },
  {
    slip: "a conversation that has not begun is asked for once",
    file,
    code: "return unbegun && new Delay(unbegun.next());",
    becomes: "return undefined;",
    tests,
  },
  {
    slip: "two readers of the history are at work",
    file,
    code: "    this.#loading?.abort();\n    this.#loading = new",
    becomes: "    this.#loading = new",
    tests,
  },
  {
    slip: "the first message is sent again in place of the last",
    file,
    code: 'this.#state.messages.findLast((message) => message.role === "human")',
    becomes: 'this.#state.messages.find((message) => message.role === "human")',
    tests,
  },
  {
    slip: "what is over is lost with what is being made",
    file: "client/src/react/turn.ts",
    code: '    if (this.#phase !== "running") return;\n',
    becomes: "",
    tests,
  },
  {
    slip: "who has left is told that it failed, and waits",
    file: "client/src/react/retry.ts",
    code: "      if (signal.aborted) break;\n",
    becomes: "",
    tests: ["test/react/retry.test.ts"],
  },
  {
    slip: "another bot is sent to as the first",
    file: "client/src/react/use-chat.ts",
    code: "[client, botId, conversationId, firstMessages]",
    becomes: "[client, conversationId, firstMessages]",
    tests: hooks,
  },
  {
    slip: "the state of a client is shown that is there no more",
    file: "client/src/react/use-connection.ts",
    code: "useCallback(() => connection.state, [connection])",
    becomes: "useCallback(() => connection.state, [])",
    tests: hooks,
  },
  {
    slip: "why a client is not connected is told of another",
    file: "client/src/react/use-connection.ts",
    code: "useCallback(() => connection.error, [connection])",
    becomes: "useCallback(() => connection.error, [])",
    tests: hooks,
  },
  {
    slip: "what to do when a conversation is busy is forgotten",
    file: "client/src/ai-sdk/chat-transport.ts",
    code: "client.send({ botId, conversationId, ifBusy, ...given })",
    becomes: "client.send({ botId, conversationId, ...given })",
    tests: ["test/react/transport-transcripts.test.ts"],
  },
  {
    slip: "a tool that gave nothing is none of the AI SDK's",
    file: "client/src/ai-sdk/blocks.ts",
    code: "output: output ?? null",
    becomes: "output",
    tests: blocks,
  },
  {
    slip: "what a source says is lost",
    file: "client/src/ai-sdk/found-parts.ts",
    code: "{ providerMetadata: { langwire: { quote } } }",
    becomes: "{}",
    tests: blocks,
  },
  {
    slip: "a message of the AI SDK is said anew with each event",
    file: "client/src/ai-sdk/sent-block.ts",
    code: "  if (isSame(before, now)) return [];\n  const [old",
    becomes: "  const [old",
    tests: blocks,
  },
];
