import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import {
  begin,
  endingOf,
  exchange,
  ownClock,
  type StorePlace,
  storeForEach,
} from "./store-place.ts";

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

export function describeAdministration(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);

  test("shows any conversation that is there, with its owner", async () => {
    const { administration, conversations } = current.store;
    const conversationId = randomUUID();
    const given = { conversationId, botId: "chat", userId: "alice", title: "Trees" };
    const created = await conversations.create(given);
    expect(await administration.conversation(conversationId)).toEqual({
      conversationId,
      botId: "chat",
      ownerId: "alice",
      title: "Trees",
      shared: false,
      createdAt: created?.createdAt,
      updatedAt: created?.updatedAt,
    });
    await conversations.delete(conversationId, "alice");
    expect(await administration.conversation(conversationId)).toBeUndefined();
    expect(await administration.conversation(randomUUID())).toBeUndefined();
  });

  test("reads all of its members and runs, in their order", async () => {
    const { store } = current;
    const { administration, conversations } = store;
    const first = await exchange(store);
    const { conversationId } = first;
    const runs = [first];
    for (let index = 0; index < 5; index++) {
      runs.push(await exchange(store, { conversationId, message: `Message ${index}` }));
    }
    runs.push(await begin(store, { conversationId, message: "Last?" }));
    await exchange(store);
    expect(await all(administration.runs(conversationId))).toEqual(runs);

    await conversations.share(conversationId, "alice");
    await conversations.join(conversationId, "carol");
    await conversations.join(conversationId, "bob");
    expect(await all(administration.members(conversationId))).toEqual(["alice", "bob", "carol"]);
    expect(await all(administration.members(randomUUID()))).toEqual([]);
  });

  test("finds what was inactive for long enough, among any number of others", async () => {
    const { store } = current;
    const { administration, conversations } = store;
    const clock = ownClock();
    const create = () =>
      conversations.create({ conversationId: randomUUID(), botId: "chat", userId: "bob" });
    const old = [await exchange(store), await exchange(store, { userId: "bob" }), await create()];
    const busy = await begin(store);
    const gone = await exchange(store);
    await conversations.delete(gone.conversationId, gone.userId);
    const revived = await exchange(store);
    const before = clock.nextSecond();
    await exchange(store, { conversationId: revived.conversationId });
    for (let index = 0; index < 600; index++) await create();

    const found = await all(administration.inactive(before));
    const ids = found.map(({ conversationId }) => conversationId);
    expect(new Set(ids)).toEqual(new Set(old.map((one) => one?.conversationId)));
    expect(ids).toHaveLength(3);
    expect(found).toContainEqual(await administration.conversation(old[0]?.conversationId ?? ""));
    await store.runs.finish(endingOf(busy));
    expect(await all(administration.inactive(before))).toHaveLength(4);
  });

  test("deletes what is inactive as its owner would, and nothing else", async () => {
    const { store } = current;
    const { administration, conversations } = store;
    const clock = ownClock();
    const { conversationId, runId } = await exchange(store);
    const busy = await begin(store);
    const before = clock.nextSecond();
    const active = await exchange(store);
    for (const kept of [busy, active]) {
      expect(await administration.deleteInactive(kept.conversationId, before)).toBe(false);
      expect(await all(administration.runs(kept.conversationId))).toEqual([kept]);
    }
    expect(await administration.deleteInactive(conversationId, before)).toBe(true);
    expect(await administration.deleteInactive(conversationId, before)).toBe(false);
    expect(await administration.deleteInactive(randomUUID(), before)).toBe(false);
    expect(await store.runs.get(runId, "alice")).toBeUndefined();
    expect(await conversations.isMember(conversationId, "alice")).toBe(false);
    const again = { conversationId, botId: "chat", userId: "alice" };
    expect(await conversations.create(again)).toBeUndefined();
  });

  test("a run that begins while its conversation is deleted either began or is refused", async () => {
    const { store } = current;
    const { administration } = store;
    const clock = ownClock();
    for (let index = 0; index < 10; index++) {
      const { conversationId } = await exchange(store);
      const before = clock.nextSecond();
      const claimed = { conversationId, botId: "chat", userId: "alice", message: "Still there?" };
      const [deleted, claim] = await Promise.all([
        administration.deleteInactive(conversationId, before),
        store.runs.claim({ ...claimed, runId: randomUUID() }),
      ]);
      expect(claim.outcome).toBe(deleted ? "foreign" : "claimed");
      expect(await all(administration.runs(conversationId))).toHaveLength(deleted ? 0 : 2);
    }
  });

  test("finds all of one user, and nothing of another", async () => {
    const { store } = current;
    const { administration, conversations } = store;
    const own = await exchange(store);
    const others = await exchange(store, { userId: "bob" });
    await conversations.share(others.conversationId, "bob");
    await conversations.join(others.conversationId, "alice");
    const sent = await begin(store, { conversationId: others.conversationId });
    await conversations.leave(others.conversationId, "alice");
    const found = await all(administration.conversationsOf("alice"));
    expect(found.map(({ conversationId }) => conversationId)).toEqual([own.conversationId]);
    expect(new Set(await all(administration.runsOf("alice")))).toEqual(new Set([own, sent]));
    expect(await all(administration.runsOf("carol"))).toEqual([]);
  });

  test("empties a run that has ended, and the title that was made of it", async () => {
    const { store } = current;
    const { administration, conversations } = store;
    const { runId, conversationId, endSeq } = await exchange(store);
    const running = await begin(store, { conversationId, message: "Another." });
    await administration.redact(runId);
    await administration.redact(running.runId);
    await administration.redact(randomUUID());
    expect(await all(administration.runs(conversationId))).toEqual([
      expect.objectContaining({ runId, userId: "", message: "", text: "", endSeq }),
      running,
    ]);
    const { items } = await conversations.messages(conversationId, { limit: 10 });
    expect(items.map(({ text }) => text)).toEqual(["", "", "Another."]);
    expect(items.map(({ userId }) => userId)).toEqual([undefined, undefined, "alice"]);
    expect(await conversations.get(conversationId, "alice")).toMatchObject({ title: "" });
    await conversations.rename(conversationId, "alice", "A title of its own");
    await store.runs.finish(endingOf(running));
    await administration.redact(running.runId);
    expect(await conversations.get(conversationId, "alice")).toMatchObject({
      title: "A title of its own",
    });
    const history = { exchanges: 10, maxBytes: 10_000 };
    expect(await conversations.history(conversationId, history)).toEqual([]);
  });

  test("deletes anybody's conversation, once", async () => {
    const { store } = current;
    const { administration, runs } = store;
    const { conversationId, runId } = await begin(store);
    expect(await administration.delete(conversationId)).toEqual({
      members: ["alice"],
      runningRunId: runId,
    });
    expect(await administration.delete(conversationId)).toBeUndefined();
    expect(await runs.get(runId, "alice")).toBeUndefined();
  });
}
