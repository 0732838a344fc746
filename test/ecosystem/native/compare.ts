/**
 * What `stream` with the modes `messages`, `updates` and `custom` tells a reader while a bot works, and
 * Langwire (with `expose: "tools"`) does not tell before the end. docs/bots.md says why.
 */
import { expect, test } from "vitest";
import { Conversation } from "../conversation.ts";
import { type NativeBot, nativeBots } from "./native-bots.ts";

interface Told {
  /** Texts of messages, and what was written with `writer`, as JSON. */
  readonly said: ReadonlySet<string>;
  /** Channels of the state, beside `messages`, that nodes wrote to. */
  readonly channels: ReadonlySet<string>;
}

const onlyNative: Readonly<Record<string, { said?: string[]; channels?: string[] }>> = {
  createAgent: {},
  deepagents: { channels: ["files"] },
  // What the graph writes itself, to close the hand-over, for its models to read.
  supervisor: {
    said: ["Transferring back to supervisor", "Successfully transferred back to supervisor"],
  },
  swarm: { channels: ["activeAgent"] },
  summarization: {},
  // As its tool's input.
  todoList: {},
  modelCallLimit: { channels: ["jumpTo", "runModelCallCount", "threadModelCallCount"] },
  pii: {},
  // The question: until somebody can answer it, the run ends by name.
  humanInTheLoop: { channels: ["__interrupt__"] },
  llmToolSelector: {},
  mcp: {},
};

const input = () => ({
  messages: [
    { role: "human", content: "hello" },
    { role: "ai", content: "Hello." },
    { role: "human", content: "hi" },
  ],
});

async function toldNatively(bot: NativeBot): Promise<Told> {
  const said = new Set<string>();
  const channels = new Set<string>();
  const streamMode = ["messages", "updates", "custom"];
  const config = { streamMode, subgraphs: true, configurable: { thread_id: "native" } };
  for await (const [, mode, data] of await bot.stream(input(), config)) {
    if (mode === "custom") said.add(JSON.stringify(data));
    else if (mode === "messages") said.add(data[0].text);
    else {
      for (const [node, update] of Object.entries(data)) {
        if (node === "__interrupt__") channels.add(node);
        else
          for (const [channel, value] of Object.entries(update ?? {}))
            if (value !== undefined) channels.add(channel);
      }
    }
  }
  said.delete("");
  channels.delete("messages");
  return { said, channels };
}

test.each(Object.entries(nativeBots))("%s", async (name, make) => {
  await using open = new AsyncDisposableStack();
  const native = await toldNatively(await make(open));
  const conversation = open.use(
    await Conversation.with(await make(open), { expose: "tools", input }),
  );
  const { events } = await conversation.send("hi");
  const root = events.find(({ type }) => type === "chainStart");
  const rootId = root?.type === "chainStart" ? root.spanId : undefined;
  const beforeTheEnd = events.filter(
    (event) => !(event.type === "runEnd" || (event.type === "chainEnd" && event.spanId === rootId)),
  );
  const ours = JSON.stringify(beforeTheEnd);
  const missing = {
    said: [...native.said].filter(
      (text) => !ours.includes(text.startsWith("{") ? text : JSON.stringify(text).slice(1, -1)),
    ),
    channels: [...native.channels].filter((channel) => !ours.includes(`"${channel}":`)).sort(),
  };
  expect(missing).toEqual({ said: [], channels: [], ...onlyNative[name] });
});
