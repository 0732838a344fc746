/** Erasing a user, broken off at any step and begun again: in the end nothing of theirs is left, and all of others'. */
import { randomUUID } from "node:crypto";
import { expect, test, vi } from "vitest";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { eraseUser } from "../../src/runs/erase-user.ts";
import type { Store } from "../../src/store/store.ts";
import { all, botDoing, newRun, types } from "./run-bench.ts";

const [ann, bob] = [{ userId: "ann" }, { userId: "bob" }];
const away = new LangwireError("STORE_UNAVAILABLE");

/** A store of which one call fails, before or after it did what it was asked. */
function failingAt(store: Store, failingCall: number, when: "before" | "after") {
  const state = { calls: 0, failed: false };
  const call = (work: () => unknown): unknown => {
    state.calls += 1;
    if (state.calls !== failingCall) return work();
    state.failed = true;
    if (when === "before") throw away;
    return Promise.resolve(work()).then(() => Promise.reject(away));
  };
  const part = <T extends object>(of: T): T =>
    new Proxy(of, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const made: unknown = member.apply(target, args);
          // A list that is read in pages fails where it is begun.
          const isList = typeof made === "object" && made !== null && Symbol.asyncIterator in made;
          return isList ? made : call(() => made);
        };
      },
    });
  const { administration, conversations, deletions, runs } = store;
  const parts = {
    administration: part(administration),
    conversations: part(conversations),
    deletions: part(deletions),
    runs: part(runs),
  };
  return { state, store: { ...store, ...parts } };
}

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function setUp() {
  const stack = new AsyncDisposableStack();
  const answers = botDoing(() => "answered");
  const langwire = stack.use(await openLangwire({ bots: [answers], observer: {} }));
  const { store, runs } = langwire;
  const ids = { hers: randomUUID(), shared: randomUUID(), left: randomUUID() };
  for (const [conversationId, owner, other] of [
    [ids.hers, ann, bob],
    [ids.shared, bob, ann],
    [ids.left, bob, ann],
  ] as const) {
    await store.conversations.create({ conversationId, botId: "test", ...owner });
    await store.conversations.share(conversationId, owner.userId);
    await store.conversations.join(conversationId, other.userId);
  }
  const say = async (who: typeof ann, conversationId: string, message: string) => {
    await all(await runs.send(who, newRun({ conversationId, message })));
  };
  await say(bob, ids.shared, "bob's first");
  for (const conversationId of Object.values(ids)) await say(ann, conversationId, "ann's");
  for (const conversationId of [ids.shared, ids.left]) await say(bob, conversationId, "bob's last");
  await store.conversations.leave(ids.left, ann.userId);
  return { langwire, ids, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function isErased({ langwire, ids }: Awaited<ReturnType<typeof setUp>>): Promise<void> {
  const { store, log } = langwire;
  const { administration, conversations, archives, deletions } = store;
  expect(await listed(administration.conversationsOf(ann.userId))).toEqual([]);
  expect(await listed(administration.runsOf(ann.userId))).toEqual([]);
  expect(await administration.conversation(ids.hers)).toBeUndefined();
  expect(await deletions.unfinished()).toEqual([]);
  for (const [conversationId, before] of [
    [ids.shared, ["bob's first", "answered"]],
    [ids.left, []],
  ] as const) {
    const { items } = await conversations.messages(conversationId, { limit: 10 });
    expect(items.map(({ text }) => text)).toEqual([...before, "", "", "bob's last", "answered"]);
    expect(items.map(({ role, userId }) => [role, userId])).toEqual([
      ...before.map((_, index) => (index === 0 ? ["human", "bob"] : ["ai", undefined])),
      ...[
        ["human", undefined],
        ["ai", undefined],
      ],
      ...[
        ["human", "bob"],
        ["ai", undefined],
      ],
    ]);
    const archived = [];
    for (const { runId } of items) archived.push((await archives.get(runId)).length);
    expect(archived).toEqual([...before.map(() => 1), 0, 0, 0, 0]);
    expect(await administration.conversation(conversationId)).toMatchObject({ ownerId: "bob" });
  }
  for (const conversationId of Object.values(ids)) {
    expect(types((await log.read(conversationId, 0)).entries)).toEqual([]);
  }
}

test("broken off at any of its steps, and begun again, it leaves nothing", async () => {
  for (const when of ["before", "after"] as const) {
    for (let failingCall = 1; ; failingCall++) {
      await using world = await setUp();
      const { langwire } = world;
      const { runs, log } = langwire;
      const { state, store } = failingAt(langwire.store, failingCall, when);
      const forget = vi.fn(async () => {});
      const leftovers = vi.spyOn(langwire.store.administration, "redactLeftovers");
      const erase = async () => {
        for await (const _ of eraseUser(ann.userId, { store, log, runs, forget }));
      };
      const broken = await erase().then(
        () => undefined,
        (cause: unknown) => cause,
      );
      if (!state.failed) {
        // There is no such step any more: it went through.
        expect([broken, failingCall > 15]).toEqual([undefined, true]);
        await isErased(world);
        expect(forget).toHaveBeenCalledExactlyOnceWith(ann.userId);
        break;
      }
      expect([failingCall, broken]).toEqual([failingCall, away]);
      expect(forget).not.toHaveBeenCalled();
      await erase();
      await isErased(world);
      expect(leftovers).toHaveBeenLastCalledWith(ann.userId);
      expect(forget).toHaveBeenCalledExactlyOnceWith(ann.userId);
    }
  }
});

test("whoever reads what goes is shut out, and who reads what stays is not", async () => {
  await using world = await setUp();
  const { langwire, ids } = world;
  const { runs } = langwire;
  const watching = [
    runs.watch(ann, { conversationId: ids.hers }),
    runs.watch(bob, { conversationId: ids.hers }),
    runs.watch(ann, { conversationId: ids.shared }),
    runs.watch(bob, { conversationId: ids.shared }),
  ];
  const readers = await Promise.all(watching);
  const ended = readers
    .slice(0, 3)
    .map((reader) => expect(reader.next()).rejects.toMatchObject({ code: "NOT_FOUND" }));
  const told = await listed(langwire.eraseUser(ann.userId));
  await Promise.all(ended);
  expect(readers.map(({ closed }) => closed)).toEqual([true, true, true, false]);
  const counts = Object.groupBy(told, ({ type }) => type);
  expect([counts.conversation?.length, counts.membership?.length, counts.run?.length]).toEqual([
    1, 1, 2,
  ]);
});

test("what is in progress ends first, and what is deleted meanwhile is passed over", async () => {
  const gate = Promise.withResolvers<string>();
  await using langwire = await openLangwire({ bots: [botDoing(() => gate.promise)], observer: {} });
  const { runs, store, log } = langwire;
  const [hers, theirs, gone] = [newRun(), newRun(), newRun()];
  for (const { conversationId } of [theirs, gone]) {
    await store.conversations.create({ conversationId, botId: "test", ...bob });
    await store.conversations.share(conversationId, bob.userId);
    await store.conversations.join(conversationId, ann.userId);
  }
  for (const run of [hers, theirs, gone]) await runs.send(ann, run);
  // Its owner deletes it just before its run is cancelled.
  const cancel = runs.cancel.bind(runs);
  vi.spyOn(runs, "cancel").mockImplementation(async (caller, runId) => {
    if (runId === gone.runId) {
      const deleted = await store.conversations.delete(gone.conversationId, bob.userId);
      await runs.deleted(gone.conversationId, deleted?.runningRunId);
    }
    return await cancel(caller, runId);
  });
  const forget = async () => {};
  for await (const _ of eraseUser(ann.userId, { store, log, runs, forget }));
  expect(runs.live.size).toBe(0);
  expect(await store.runs.get(theirs.runId, bob.userId)).toMatchObject({
    status: "cancelled",
    message: "",
  });
  for (const { conversationId } of [hers, gone]) {
    expect(await store.administration.conversation(conversationId)).toBeUndefined();
  }
  gate.resolve("too late");
});
