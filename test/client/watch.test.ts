import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { ChatEvent, Watch } from "../../client/src/index.ts";
import { collect } from "./collect.ts";
import { gate, hello, setUp } from "./set-up.ts";

async function readUntil(watch: Watch, type: ChatEvent["type"]): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  for (;;) {
    const { done, value } = await watch.next();
    if (done === true) throw new Error(`the watch ended before a ${type}`);
    events.push(value);
    if (value.type === type) return events;
  }
}

const textOf = (events: readonly ChatEvent[]) =>
  events.map((event) => (event.type === "token" ? event.text : "")).join("");

test("two watchers see what the sender sees, over lost sockets, run after run", async () => {
  const { client, connect, provider, proxy } = await setUp();
  const { conversationId } = await client.conversations.create({ botId: "test" });
  const watches = [connect(), connect()].map((watcher) => watcher.watch({ conversationId }));
  for (const message of ["one", "two"]) {
    const middle = gate();
    provider.answer({ steps: ["first ", { until: middle.passed }, message] });
    const run = client.send({ ...hello, message, conversationId });
    await Promise.all(watches.map((watch) => readUntil(watch, "token")));
    proxy.cut();
    middle.open();
    await run.ended;
    for (const watch of watches) {
      const rest = await readUntil(watch, "runEnd");
      expect(textOf(rest)).toBe(message);
      expect(rest.at(-1)).toEqual(await run.ended);
    }
  }
});

test("goes on behind the event that was read last", async () => {
  const { client, provider } = await setUp();
  provider.answerAll({ steps: ["x"] });
  const { conversationId } = await client.conversations.create({ botId: "test" });
  const first = client.watch({ conversationId });
  await client.send({ ...hello, conversationId }).ended;
  await readUntil(first, "llmStart");
  const { lastEventId } = first;
  await first.return();
  await client.send({ ...hello, conversationId }).ended;
  const second = client.watch({ conversationId, lastEventId });
  expect((await second.next()).value).toMatchObject({ type: "token" });
  await readUntil(second, "runEnd");
  expect((await readUntil(second, "runEnd"))[0]).toMatchObject({ type: "runStart" });
});

test("a signal ends it, and so does leaving the loop", async () => {
  const { client } = await setUp();
  const { conversationId } = await client.conversations.create({ botId: "test" });
  const controller = new AbortController();
  const ended = collect(client.watch({ conversationId }, { signal: controller.signal }));
  ended.catch(() => {});
  controller.abort();
  await expect(ended).rejects.toMatchObject({ code: "CLOSED", cause: controller.signal.reason });
  await client.send({ ...hello, conversationId }).ended;
  const watch = client.watch({ conversationId, lastEventId: "0" });
  for await (const event of watch) {
    expect(event.type).toBe("runStart");
    break;
  }
  expect(await watch.next()).toEqual({ done: true, value: undefined });
});

test("a conversation that may not be read throws, and one that may no more does so too", async () => {
  const { connect } = await setUp();
  const [owner, guest] = [connect({ userId: "owner" }), connect({ userId: "guest" })];
  await expect(guest.watch({ conversationId: randomUUID() }).next()).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
  const { conversationId } = await owner.conversations.create({ botId: "test" });
  await owner.conversations.share({ conversationId });
  await guest.conversations.join({ conversationId });
  const watch = guest.watch({ conversationId });
  await owner.send({ ...hello, conversationId }).ended;
  await readUntil(watch, "runEnd");
  const next = watch.next();
  next.catch(() => {});
  await owner.conversations.unshare({ conversationId });
  await expect(next).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a reader that falls far behind leaves the rest on the server, and gets all of it", async () => {
  const { client, connect, provider } = await setUp();
  const { conversationId } = await client.conversations.create({ botId: "test" });
  const watch = connect().watch({ conversationId, lastEventId: "0" });
  // Pieces of one text merge while they wait; these take turns, so none of them do.
  const steps = Array.from({ length: 600 }, (_, index) => [
    { reasoning: `thought ${index} ` },
    `word ${index} `,
  ]).flat();
  provider.answer({ steps });
  const run = client.send({ ...hello, conversationId });
  const sent = [];
  for await (const event of run) sent.push(event);
  expect(sent.length).toBeGreaterThan(1_200);
  expect(await readUntil(watch, "runEnd")).toEqual(sent);
});
