import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { begin, exchange, newRun, type StorePlace, storeForEach } from "./store-place.ts";

export function describeMembers(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);

  async function shared(): Promise<string> {
    const { conversationId } = await exchange(current.store);
    await current.store.conversations.share(conversationId, "alice");
    return conversationId;
  }

  test("join what is shared, and only that", async () => {
    const { conversations } = current.store;
    const { conversationId } = await exchange(current.store);
    expect(await conversations.join(conversationId, "bob")).toBeUndefined();
    expect(await conversations.join(randomUUID(), "bob")).toBeUndefined();
    expect(await conversations.share(conversationId, "bob")).toBeUndefined();
    expect(await conversations.share(conversationId, "alice")).toMatchObject({
      owned: true,
      shared: true,
    });
    const joined = await conversations.join(conversationId, "bob");
    expect(joined).toMatchObject({ conversationId, owned: false, shared: true });
    expect(await conversations.join(conversationId, "bob")).toEqual(joined);
    expect(await conversations.get(conversationId, "bob")).toEqual(joined);
    expect(await conversations.isMember(conversationId, "bob")).toBe(true);
    expect(await conversations.isMember(conversationId, "carol")).toBe(false);
  });

  test("see and begin runs", async () => {
    const { store } = current;
    const conversationId = await shared();
    await store.conversations.join(conversationId, "bob");
    const run = await begin(store, { conversationId, userId: "bob" });
    expect(await store.runs.get(run.runId, "alice")).toMatchObject({ userId: "bob" });
    expect(await store.runs.claim({ ...run, userId: "alice" })).toEqual({
      outcome: "exists",
      run,
    });
  });

  test("join a conversation of theirs again when it is shared no more", async () => {
    const { conversations } = current.store;
    const { conversationId } = await exchange(current.store);
    expect(await conversations.join(conversationId, "alice")).toMatchObject({ owned: true });
  });

  test("are found among many memberships, those that there are", async () => {
    const { conversations } = current.store;
    const one = await shared();
    const two = await shared();
    await conversations.join(one, "bob");
    const asked = [
      { conversationId: one, userId: "alice" },
      { conversationId: one, userId: "bob" },
      { conversationId: two, userId: "alice" },
      { conversationId: two, userId: "bob" },
      { conversationId: randomUUID(), userId: "alice" },
    ];
    const there = async () => {
      const found = await conversations.stillMembers(asked);
      return asked.map((it) => found.some((other) => JSON.stringify(other) === JSON.stringify(it)));
    };
    expect(await there()).toEqual([true, true, true, false, false]);
    await conversations.unshare(one, "alice");
    await conversations.delete(two, "alice");
    expect(await there()).toEqual([true, false, false, false, false]);
    expect(await conversations.stillMembers([])).toEqual([]);
    const many = Array.from({ length: 300 }, () => ({ conversationId: one, userId: randomUUID() }));
    expect(await conversations.stillMembers([...many, ...asked])).toHaveLength(1);
  });

  test("leave, but for the owner", async () => {
    const { store } = current;
    const conversationId = await shared();
    await store.conversations.join(conversationId, "bob");
    expect(await store.conversations.leave(conversationId, "bob")).toBe(true);
    expect(await store.conversations.leave(conversationId, "bob")).toBe(false);
    expect(await store.conversations.leave(conversationId, "alice")).toBe(false);
    expect(await store.conversations.isMember(conversationId, "alice")).toBe(true);
    expect(await store.conversations.get(conversationId, "bob")).toBeUndefined();
    expect(await store.runs.claim(newRun({ conversationId, userId: "bob" }))).toEqual({
      outcome: "foreign",
    });
  });

  test("are all sent away by unsharing, but for the owner", async () => {
    const { conversations } = current.store;
    const conversationId = await shared();
    await conversations.join(conversationId, "bob");
    await conversations.join(conversationId, "carol");
    expect(await conversations.unshare(conversationId, "bob")).toBeUndefined();
    const unshared = await conversations.unshare(conversationId, "alice");
    expect(unshared?.removed.sort()).toEqual(["bob", "carol"]);
    expect(unshared?.conversation).toMatchObject({ conversationId, owned: true, shared: false });
    expect(await conversations.get(conversationId, "bob")).toBeUndefined();
    expect(await conversations.join(conversationId, "bob")).toBeUndefined();
  });

  test("who join while it is unshared are sent away or not let in", async () => {
    const { conversations } = current.store;
    for (let round = 0; round < 5; round++) {
      const conversationId = await shared();
      const users = ["bob", "carol", "dave"];
      const [unshared] = await Promise.all([
        conversations.unshare(conversationId, "alice"),
        ...users.map((userId) => conversations.join(conversationId, userId)),
      ]);
      expect(unshared).toBeDefined();
      const left = users.map((userId) => conversations.isMember(conversationId, userId));
      expect(await Promise.all(left)).toEqual([false, false, false]);
    }
  });
}
