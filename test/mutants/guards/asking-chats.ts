/** What a chat of the React client asks of its server, how often, and from where on. */
import type { Guard } from "../guard.ts";

const file = "client/src/react/chat.ts";
const tests = ["test/react/chat-transcripts.test.ts"];

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
];
