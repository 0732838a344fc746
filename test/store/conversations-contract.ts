import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { conversation as conversationSchema } from "../../src/protocol/conversations.ts";
import { begin, exchange, ownClock, type StorePlace, storeForEach } from "./store-place.ts";

export function describeConversations(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);
  const chat = { botId: "chat", userId: "alice" };

  test("are what the protocol says", async () => {
    const { conversations } = current.store;
    const conversationId = randomUUID();
    const created = await conversations.create({ ...chat, conversationId, title: "Trees" });
    expect(conversationSchema.strict().parse(created)).toEqual({
      conversationId,
      botId: "chat",
      title: "Trees",
      owned: true,
      shared: false,
      createdAt: expect.any(String),
      updatedAt: created?.createdAt,
    });
    expect(await conversations.get(conversationId, "alice")).toEqual(created);
  });

  test("are created once; the same again is the same", async () => {
    const { conversations } = current.store;
    const conversationId = randomUUID();
    const created = await conversations.create({ ...chat, conversationId, title: "Trees" });
    expect(await conversations.create({ ...chat, conversationId, title: "Stones" })).toEqual(
      created,
    );
    expect(await conversations.create({ ...chat, conversationId, botId: "agent" })).toBeUndefined();
    expect(await conversations.create({ ...chat, conversationId, userId: "bob" })).toBeUndefined();
    expect(await conversations.get(conversationId, "bob")).toBeUndefined();
    // Nor does a member make it theirs.
    await conversations.share(conversationId, "alice");
    await conversations.join(conversationId, "bob");
    expect(await conversations.create({ ...chat, conversationId, userId: "bob" })).toBeUndefined();
    expect(await conversations.get(conversationId, "bob")).toMatchObject({ owned: false });
  });

  test("are created once by any number of calls at once", async () => {
    const { conversations } = current.store;
    const conversationId = randomUUID();
    const users = Array.from({ length: 12 }, (_, index) => `user-${index}`);
    const created = await Promise.all(
      users.map((userId) => conversations.create({ conversationId, botId: "chat", userId })),
    );
    expect(created.filter((one) => one !== undefined)).toHaveLength(1);
  });

  test("show their run in progress", async () => {
    const { store } = current;
    const run = await begin(store);
    const { conversationId } = run;
    const shown = { conversationId, runningRunId: run.runId };
    expect(await store.conversations.get(conversationId, "alice")).toMatchObject(shown);
    expect((await store.conversations.list("alice", { limit: 5 })).items).toMatchObject([shown]);
  });

  test.each([
    ["on one line", "  What\n\tare   trees? ", "What are trees?"],
    ["cut", `${"tree ".repeat(30)}`, `${"tree ".repeat(16).slice(0, 79)}…`],
    ["never inside a character", "👩‍👩‍👧‍👦".repeat(20), `${"👩‍👩‍👧‍👦".repeat(7)}…`],
  ])("are named after their first message, %s", async (_, message, title) => {
    const { store } = current;
    const { conversationId } = await exchange(store, { message });
    expect(await store.conversations.get(conversationId, "alice")).toMatchObject({ title });
    await exchange(store, { conversationId, message: "And another thing" });
    expect(await store.conversations.get(conversationId, "alice")).toMatchObject({ title });
  });

  test("keep the title they were given", async () => {
    const { store } = current;
    const conversationId = randomUUID();
    await store.conversations.create({ ...chat, conversationId, title: "Trees" });
    const claim = await store.runs.claim({
      ...chat,
      conversationId,
      runId: randomUUID(),
      message: "Hi",
    });
    expect(claim).toMatchObject({ outcome: "claimed", conversation: { title: "Trees" } });
  });

  test("are renamed by their owner", async () => {
    const { conversations } = current.store;
    const conversationId = randomUUID();
    await conversations.create({ ...chat, conversationId });
    await conversations.share(conversationId, "alice");
    await conversations.join(conversationId, "bob");
    expect(await conversations.rename(conversationId, "alice", "Trees")).toMatchObject({
      title: "Trees",
    });
    expect(await conversations.rename(conversationId, "bob", "Stones")).toBeUndefined();
    expect(await conversations.rename(randomUUID(), "alice", "Stones")).toBeUndefined();
    expect(await conversations.get(conversationId, "bob")).toMatchObject({ title: "Trees" });
  });

  test("are listed by their latest run, to their members alone", async () => {
    const { store } = current;
    const clock = ownClock();
    const ids = [];
    for (let index = 0; index < 3; index++) {
      clock.nextSecond();
      ids.push((await exchange(store)).conversationId);
    }
    await exchange(store, { userId: "bob" });
    const updatedAt = clock.nextSecond();
    await exchange(store, { conversationId: ids[0] });
    const { items } = await store.conversations.list("alice", { limit: 10 });
    expect(items.map((item) => item.conversationId)).toEqual([ids[0], ids[2], ids[1]]);
    expect(items[0]).toMatchObject({ updatedAt });
    expect(await store.conversations.list("carol", { limit: 10 })).toEqual({ items: [] });
  });

  test("are listed in pages that hold while they change", async () => {
    const { store } = current;
    const clock = ownClock();
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) {
      // Two share each time, so the time alone cannot say where a page ends.
      if (index % 2 === 0) clock.nextSecond();
      ids.push((await exchange(store)).conversationId);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.conversations.list("alice", { limit: 3, cursor });
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map((item) => item.conversationId));
      cursor = page.nextCursor;
      // One that was seen already moves to the top, where it disturbs nobody.
      clock.nextSecond();
      await exchange(store, { conversationId: seen[0] });
    } while (cursor !== undefined);
    expect(new Set(seen)).toEqual(new Set(ids));
    expect(seen).toHaveLength(7);
  });

  test.each([
    [2, 3, 1],
    [3, 3, 1],
    [4, 3, 2],
    [6, 3, 2],
    [7, 3, 3],
    [0, 1, 1],
  ])(
    "%d of them, %d on a page, are %d pages, and the last says so",
    async (count, limit, pages) => {
      const { store } = current;
      for (let index = 0; index < count; index++) await exchange(store);
      const sizes: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.conversations.list("alice", { limit, cursor });
        sizes.push(page.items.length);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect([sizes.length, sizes.reduce((all, size) => all + size, 0)]).toEqual([pages, count]);
    },
  );

  test("refuse a cursor that is none of theirs", async () => {
    const { conversations } = current.store;
    const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    for (const cursor of ["", "!", "1", made({}), made(["yesterday", "x"]), made([null, null])]) {
      await expect(conversations.list("alice", { limit: 3, cursor })).rejects.toMatchObject({
        code: "BAD_INPUT",
      });
    }
  });

  test("are deleted by their owner, with all that is in them", async () => {
    const { store } = current;
    const { conversationId, runId } = await exchange(store);
    await store.conversations.share(conversationId, "alice");
    await store.conversations.join(conversationId, "bob");
    expect(await store.conversations.delete(conversationId, "bob")).toBeUndefined();
    const deleted = await store.conversations.delete(conversationId, "alice");
    expect(deleted?.members.sort()).toEqual(["alice", "bob"]);
    expect(deleted?.runningRunId).toBeUndefined();
    for (const userId of ["alice", "bob"]) {
      expect(await store.conversations.get(conversationId, userId)).toBeUndefined();
      expect(await store.conversations.join(conversationId, userId)).toBeUndefined();
      expect(await store.conversations.isMember(conversationId, userId)).toBe(false);
      expect(await store.conversations.list(userId, { limit: 5 })).toEqual({ items: [] });
      expect(await store.runs.get(runId, userId)).toBeUndefined();
    }
    expect(await store.conversations.messages(conversationId, { limit: 5 })).toEqual({ items: [] });
    expect(await store.conversations.delete(conversationId, "alice")).toBeUndefined();
  });

  test("leave behind an id that nobody can use again", async () => {
    const { store } = current;
    const { conversationId } = await exchange(store);
    await store.conversations.delete(conversationId, "alice");
    for (const userId of ["alice", "bob"]) {
      const again = { conversationId, botId: "chat", userId };
      expect(await store.conversations.create(again)).toBeUndefined();
      expect(await store.runs.claim({ ...again, runId: randomUUID(), message: "Hello?" })).toEqual({
        outcome: "foreign",
      });
    }
  });

  test("may be deleted while a run is in progress", async () => {
    const { store } = current;
    const { conversationId, runId, firstSeq } = await begin(store);
    const deleted = await store.conversations.delete(conversationId, "alice");
    expect(deleted).toEqual({ members: ["alice"], runningRunId: runId });
    expect(await store.runs.unfinished()).toEqual([]);
    expect(
      await store.runs.finish({
        runId,
        status: "cancelled",
        text: "Half",
        endSeq: firstSeq + 1,
        endedAt: new Date().toISOString(),
      }),
    ).toEqual({ finished: false, run: undefined });
  });
}
