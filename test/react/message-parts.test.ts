/** A message is the same whether it was seen live or is read from the history, and its trace can be had later. */
import { expect, test } from "vitest";
import type { LangwireClient, Message } from "../../client/src/index.ts";
import type { AiMessage, ChatState } from "../../client/src/react/index.ts";
import { fromHistory, Turn } from "../../client/src/react/turn.ts";
import type { ChatEvent, EventOf } from "../../src/protocol/events.ts";
import { foldVectors } from "../protocol/fold-vectors.ts";
import { partVectors } from "../protocol/part-vectors.ts";
import { isReady, open, until } from "./open-chat.ts";
import { setUp } from "./setting.ts";

const at = "2026-01-01T00:00:09.000Z";
const runId = "0b0e7f62-6a3e-4b7e-9a36-0d6d3c0a6a10";
const ended = [
  ...foldVectors.map(({ name, events }) => ({ name, events })),
  ...partVectors.map(({ name, events, end = "Noon." }) => ({
    name,
    events: [start({}), ...events, endOf(end)],
  })),
].filter(({ events }) => events.some(({ type }) => type === "runEnd"));

function start(more: Partial<Extract<ChatEvent, { type: "runStart" }>>): ChatEvent {
  const ids = { runId, conversationId: runId, botId: "test", userId: "ann" };
  return { type: "runStart", ...ids, at, message: "hello", ...more };
}

function endOf(text: string): ChatEvent {
  return { type: "runEnd", runId, at, status: "completed", text, output: { total: 1 } };
}

function lastAi(messages: ChatState["messages"]): AiMessage {
  const message = messages.at(-1);
  return message?.role === "ai" ? message : expect.fail("there is no answer");
}

test.each(ended.map(({ name, events }) => [name, events] as const))(
  "%s: what was seen is what the history gives",
  (_name, events) => {
    const turn = new Turn(runId);
    for (const event of events) turn.add(event);
    const live = lastAi(turn.messages);
    const { text, parts, output, status } = live;
    const { usage, error } = events.find(({ type }) => type === "runEnd") as EventOf<"runEnd">;
    const kept: Message = {
      ...{ runId, role: "ai", position: 2, text, at: live.at, parts: [...parts] },
      ...{ output, usage, error },
      ...(status !== "streaming" && { status }),
    };
    const read = fromHistory(JSON.parse(JSON.stringify(kept)) as Message, live.spans);
    expect(read).toEqual(live);
  },
);

test("what a person gives is one part: a text, or to a typed bot a value", () => {
  const turn = new Turn(runId);
  turn.add(start({}));
  expect(turn.messages[0]?.parts).toEqual([{ type: "text", text: "hello", final: true }]);
  const typed = new Turn(runId);
  typed.add(start({ message: '{"page":1}', input: { page: 1 } }));
  expect(typed.messages[0]?.parts).toEqual([
    { type: "data", name: "input", value: { page: 1 }, origin: "input" },
  ]);
});

test("a server that keeps no parts gives a text", () => {
  const old: Message = { runId, role: "ai", position: 2, text: "Noon.", at };
  expect(fromHistory(old)).toMatchObject({
    parts: [{ type: "text", text: "Noon.", final: true }],
    ...{ steps: [], state: {}, isTraced: false },
  });
  expect(fromHistory({ ...old, text: "" }).parts).toEqual([]);
});

test("the trace of a run of long ago is loaded when it is asked for, as it was live", async () => {
  const { client, connect } = await setUp([
    { tokens: ["Hm."], toolCalls: [{ name: "calculator", args: { expression: "6*7" } }] },
    { tokens: ["42"] },
  ]);
  const { chat } = open(client, { botId: "agent" });
  await chat.send("6*7?");
  const live = lastAi((await until(chat, isReady)).messages);
  expect(live.isTraced).toBe(true);

  const { conversationId } = chat;
  const other: LangwireClient = connect();
  const { items: initialMessages } = await other.conversations.messages({ conversationId });
  const { chat: later } = open(other, { botId: "agent", conversationId, initialMessages });
  const before = lastAi((await until(later, isReady)).messages);
  expect(before).toMatchObject({ spans: [], isTraced: false });
  await Promise.all([later.loadTrace(live.runId), later.loadTrace(live.runId)]);
  const traced = await until(later, ({ messages }) => lastAi(messages).isTraced);
  expect(lastAi(traced.messages).spans).toEqual(live.spans);

  // Nobody else's, and one that failed may be asked for again.
  const unknown = crypto.randomUUID();
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(later.loadTrace(unknown)).rejects.toMatchObject({ code: "NOT_FOUND" });
  }
});
