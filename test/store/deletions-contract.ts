/** What a deleted conversation had is seen by nobody from then on, and then deleted, some at a time. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Run, Store } from "../../src/store/store.ts";
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

const bounds = { exchanges: 100, maxBytes: 1_000_000 };
const archive = { events: Buffer.from("not compressed"), rawBytes: 14 };
const longAgo = "2000-01-01T00:00:00.000Z";

/** All that a store can be asked of a run and its conversation, without a membership. */
async function seen(store: Store, run: Run) {
  const { runId, conversationId, owner = "" } = run;
  const { administration, archives, conversations, runs } = store;
  const page = await conversations.messages(conversationId, { limit: 10 });
  const ofRun = [
    await runs.get(runId, run.userId),
    await runs.begunBy(owner, runId),
    await administration.parts(runId),
    await administration.conversation(conversationId),
    await runs.running(conversationId),
  ];
  const lists = [
    page.items,
    await conversations.history(conversationId, bounds),
    await runs.endedBetween(conversationId, 0, 100),
    await all(administration.runs(conversationId)),
    await all(administration.members(conversationId)),
    (await all(administration.runsOf(run.userId))).filter((it) => it.runId === runId),
    (await runs.unfinished()).filter((it) => it.conversationId === conversationId),
    (await runs.inProgress()).filter((it) => it === runId),
    (await runs.ownedBy(owner)).filter((it) => it.runId === runId),
    await archives.get(runId),
    (await archives.since(longAgo)).filter((it) => it.conversationId === conversationId),
  ];
  return { ofRun: ofRun.filter((it) => it !== undefined), lists: lists.flat() };
}

const nothing = { ofRun: [], lists: [] };

export function describeDeletions(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);

  /** Two runs that have ended and one in progress, of one conversation. */
  async function filled() {
    const { store } = current;
    const conversationId = randomUUID();
    const given = { conversationId, owner: "node-1" };
    const first = await exchange(store, given, { archive, modelMessages: "[]" });
    const second = await exchange(store, given, { archive });
    return { conversationId, first, second };
  }

  const deletions: Record<string, (conversationId: string) => Promise<unknown>> = {
    "its owner": (conversationId) => current.store.conversations.delete(conversationId, "alice"),
    "the operator": (conversationId) => current.store.administration.delete(conversationId),
    "its age": (conversationId) =>
      current.store.administration.deleteInactive(conversationId, ownClock().nextSecond()),
  };

  test.each(Object.keys(deletions))(
    "deleted by %s, and nobody has come to the rest: nothing is seen, and it is told from what was lost",
    async (by) => {
      const { store } = current;
      const { conversationId, first, second } = await filled();
      const kept = await exchange(store, { owner: "node-1" }, { archive });
      expect((await seen(store, first)).lists.length).toBeGreaterThan(8);
      expect(await deletions[by]?.(conversationId)).toBeTruthy();
      for (const run of [first, second]) {
        expect(await seen(store, run)).toEqual(nothing);
        const { endSeq = 0, endedAt = "" } = run;
        // The same ending once more, and another one.
        for (const ending of [endingOf(run, { endSeq, endedAt, archive }), endingOf(run)]) {
          expect(await store.runs.finish(ending)).toEqual({ finished: false, run: undefined });
        }
        expect(await store.runs.restore(run, undefined)).toBe("deleted");
      }
      expect((await seen(store, kept)).lists.length).toBeGreaterThan(8);
      expect(await store.deletions.unfinished()).toContain(conversationId);
    },
  );

  test("what was left is found when the store is opened again, and deleted", async () => {
    const { conversationId, first, second } = await filled();
    const kept = await exchange(current.store);
    await current.store.conversations.delete(conversationId, "alice");
    await using store = await current.place.open();
    expect(await store.deletions.unfinished()).toContain(conversationId);
    await store.deletions.finish(conversationId);
    expect(await store.deletions.unfinished()).not.toContain(conversationId);
    // Their ids are free, as those of runs that never were.
    for (const { runId } of [first, second]) {
      expect((await begin(store, { runId })).runId).toBe(runId);
    }
    expect(await store.runs.get(kept.runId, "alice")).toEqual(kept);
    expect(await store.conversations.create({ ...kept, conversationId })).toBeUndefined();
  });

  test("a run in progress ends with the transaction, and is found by no ending", async () => {
    const { store } = current;
    const { conversationId } = await filled();
    const live = await begin(store, { conversationId });
    const deleted = await store.conversations.delete(conversationId, "alice");
    expect(deleted).toEqual({ members: ["alice"], runningRunId: live.runId });
    expect(await store.runs.finish(endingOf(live))).toEqual({ finished: false, run: undefined });
    expect(await seen(store, live)).toEqual(nothing);
    expect(await store.runs.restore(live, undefined)).toBe("deleted");
  });

  test("deletes nothing of what is not deleted, and what it is told to stop only later", async () => {
    const { store } = current;
    const { conversationId, first } = await filled();
    await store.deletions.finish(conversationId);
    expect((await seen(store, first)).lists.length).toBeGreaterThan(8);
    for (let index = 0; index < 60; index++) await exchange(store, { conversationId });
    await store.conversations.delete(conversationId, "alice");
    const stopped = store.deletions.finish(conversationId, AbortSignal.abort());
    await expect(stopped).rejects.toThrow("aborted");
    expect(await store.deletions.unfinished()).toContain(conversationId);
    // By several at once, as processes do after a crash.
    await Promise.all([1, 2, 3].map(() => store.deletions.finish(conversationId)));
    expect(await store.deletions.unfinished()).not.toContain(conversationId);
  });

  test("refused, it leaves nothing to be deleted", async () => {
    const { store } = current;
    const { conversationId } = await filled();
    const live = await begin(store, { conversationId });
    const before = ownClock().nextSecond();
    expect(await store.conversations.delete(conversationId, "bob")).toBeUndefined();
    expect(await store.administration.deleteInactive(conversationId, before)).toBe(false);
    expect(await store.deletions.unfinished()).not.toContain(conversationId);
    expect(await store.runs.finish(endingOf(live))).toMatchObject({ finished: true });
  });
}
