/** Runs that a database has lost are put back as they were, and never in another's place. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Conversation } from "../../src/protocol/conversations.ts";
import type { Run } from "../../src/store/store.ts";
import { begin, endingOf, exchange, newRun, type StorePlace, storeForEach } from "./store-place.ts";

/** A conversation as its owner had it when he began the run. */
function ownOf({ conversationId, botId }: Run, given: Partial<Conversation> = {}): Conversation {
  const at = new Date().toISOString();
  const facts = { title: "Why?", owned: true, shared: false, createdAt: at, updatedAt: at };
  return { conversationId, botId, ...facts, ...given };
}

/** As a process has it in memory, and the database no more. */
function lostRun(given: Partial<Run> = {}): Run {
  const startedAt = new Date(Date.now() - 1_000).toISOString();
  return { ...newRun(), status: "running", firstSeq: 1, startedAt, ...given };
}

export function describeRestores(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);

  test("with the conversation that began with it, and then end as any other", async () => {
    const { store } = current;
    const run = lostRun({ owner: "node-1", message: "Why?" });
    const { runId, conversationId, userId } = run;
    expect(await store.runs.finish(endingOf(run))).toEqual({ finished: false, run: undefined });
    expect(await store.runs.restore(run, ownOf(run))).toBe("restored");
    expect(await store.runs.get(runId, userId)).toEqual(run);
    expect(await store.conversations.get(conversationId, userId)).toMatchObject({
      ...{ title: "Why?", owned: true, runningRunId: runId },
    });
    expect(await store.runs.restore(run, ownOf(run))).toBe("present");
    expect(await store.runs.finish(endingOf(run))).toMatchObject({ finished: true });
    expect(await store.runs.restore(run, ownOf(run))).toBe("present");
    const { items } = await store.conversations.messages(conversationId, { limit: 10 });
    expect(items.map(({ text }) => text)).toEqual(["Why?", "Answer to: Why?"]);
  });

  test.each(["kept", "lost"])("by several at once: the conversation is %s", async (which) => {
    const { store } = current;
    const conversationId =
      which === "kept" ? (await exchange(store, {}, { endSeq: 41 })).conversationId : undefined;
    const run = lostRun(conversationId === undefined ? {} : { conversationId, firstSeq: 42 });
    const answers = await Promise.all([1, 2, 3].map(() => store.runs.restore(run, ownOf(run))));
    expect(answers.sort()).toEqual(["present", "present", "restored"]);
    expect(await store.runs.running(run.conversationId)).toEqual(run);
  });

  test("in a conversation that is still there, at their old numbers", async () => {
    const { store } = current;
    const { conversationId } = await exchange(store, {}, { endSeq: 41 });
    const run = lostRun({ conversationId, firstSeq: 42 });
    expect(await store.runs.restore(run, ownOf(run))).toBe("restored");
    expect(await store.runs.running(conversationId)).toEqual(run);
  });

  test("not beside the run that is in progress there by now", async () => {
    const { store } = current;
    const { conversationId } = await exchange(store, {}, { endSeq: 41 });
    const other = await begin(store, { conversationId });
    const run = lostRun({ conversationId, firstSeq: 42 });
    expect(await store.runs.restore(run, ownOf(run))).toBe("superseded");
    expect(await store.runs.running(conversationId)).toEqual(other);
  });

  test("not at numbers that another run has had", async () => {
    const { store } = current;
    const { conversationId } = await exchange(store, {}, { endSeq: 41 });
    const run = lostRun({ conversationId, firstSeq: 41 });
    expect(await store.runs.restore(run, ownOf(run))).toBe("superseded");
    expect(await store.runs.running(conversationId)).toBeUndefined();
  });

  test("not for who is no member", async () => {
    const { store } = current;
    const { conversationId } = await exchange(store, {}, { endSeq: 41 });
    const run = lostRun({ conversationId, firstSeq: 42, userId: "mallory" });
    expect(await store.runs.restore(run, ownOf(run))).toBe("superseded");
  });

  test.each([
    ["another's", (run: Run) => ownOf(run, { owned: false, shared: true })],
    ["of whom nobody knows", () => undefined],
  ])("not with a conversation that is %s, though the run was its first", async (_whose, known) => {
    const { store } = current;
    const run = lostRun({ userId: "bob" });
    expect(await store.runs.restore(run, known(run))).toBe("superseded");
    expect(await store.conversations.get(run.conversationId, run.userId)).toBeUndefined();
    // Its owner has it back when he begins it again.
    const again = await store.runs.claim(newRun({ conversationId: run.conversationId }));
    expect(again).toMatchObject({ outcome: "claimed", conversation: { owned: true } });
  });

  test("with a conversation of the user's own whose earlier runs are lost too", async () => {
    const { store } = current;
    const run = lostRun({ firstSeq: 42 });
    expect(await store.runs.restore(run, ownOf(run, { title: "My own" }))).toBe("restored");
    expect(await store.runs.running(run.conversationId)).toEqual(run);
    expect(await store.conversations.get(run.conversationId, run.userId)).toMatchObject({
      ...{ title: "My own", owned: true, shared: false },
    });
  });

  test("not in a conversation that was deleted", async () => {
    const { store } = current;
    const { conversationId, userId } = await exchange(store);
    await store.conversations.delete(conversationId, userId);
    const run = lostRun({ conversationId });
    expect(await store.runs.restore(run, ownOf(run))).toBe("deleted");
  });

  test("by two at once: one of them puts it back", async () => {
    const { store } = current;
    const run = lostRun({ conversationId: randomUUID() });
    const both = await Promise.all([
      store.runs.restore(run, ownOf(run)),
      store.runs.restore(run, ownOf(run)),
    ]);
    expect(both).toContain("restored");
    expect(await store.runs.get(run.runId, run.userId)).toEqual(run);
  });
}
