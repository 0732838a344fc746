import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import { begin, endingOf, exchange, newRun, type StorePlace, storeForEach } from "./store-place.ts";

export function describeRuns(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);

  test("begin a conversation that is new", async () => {
    const { store } = current;
    const input = newRun({ message: "Why?" });
    const claim = await store.runs.claim(input);
    expect(claim).toEqual({
      outcome: "claimed",
      run: { ...input, status: "running", firstSeq: 1, startedAt: expect.any(String) },
      conversation: await store.conversations.get(input.conversationId, "alice"),
    });
    expect(claim).toMatchObject({
      conversation: { title: "Why?", owned: true, runningRunId: input.runId },
    });
  });

  test("are numbered after the run before", async () => {
    const { store } = current;
    const first = await exchange(store, {}, { endSeq: 41 });
    const { conversationId } = first;
    expect(await store.conversations.lastSeq(conversationId)).toBe(41);
    const second = await begin(store, { conversationId });
    expect(second.firstSeq).toBe(42);
    expect(await store.conversations.lastSeq(conversationId)).toBe(41);
    expect(await store.conversations.lastSeq(randomUUID())).toBe(0);
  });

  test("are numbered past what 32 bits hold", async () => {
    const { store } = current;
    const { conversationId } = await exchange(store, {}, { endSeq: 5_000_000_000 });
    expect((await begin(store, { conversationId })).firstSeq).toBe(5_000_000_001);
    expect(await store.conversations.lastSeq(conversationId)).toBe(5_000_000_000);
  });

  test("are claimed once; again, they exist", async () => {
    const { store } = current;
    const input = newRun();
    const run = await begin(store, input);
    expect(await store.runs.claim(input)).toEqual({ outcome: "exists", run });
    const { run: ended } = await store.runs.finish(endingOf(run));
    expect(await store.runs.claim(input)).toEqual({ outcome: "exists", run: ended });
    // Whatever else the repeated call says: the id is what names the run.
    const elsewhere = { ...input, conversationId: randomUUID(), botId: "agent" };
    expect(await store.runs.claim(elsewhere)).toEqual({ outcome: "exists", run: ended });
    expect(await store.conversations.get(elsewhere.conversationId, "alice")).toBeUndefined();
  });

  test("of somebody else are as foreign as their conversation", async () => {
    const { store } = current;
    const input = newRun();
    await begin(store, input);
    const foreign = { outcome: "foreign" };
    const mine = { userId: "bob", conversationId: randomUUID() };
    expect(await store.runs.claim({ ...input, userId: "bob" })).toEqual(foreign);
    expect(await store.runs.claim({ ...input, ...mine })).toEqual(foreign);
    expect(await store.conversations.get(mine.conversationId, "bob")).toBeUndefined();
    expect(
      await store.runs.claim({ ...input, userId: "bob", runId: randomUUID(), botId: "agent" }),
    ).toEqual(foreign);
    expect(await store.runs.get(input.runId, "bob")).toBeUndefined();
    expect(await store.runs.get(randomUUID(), "bob")).toBeUndefined();
  });

  test("wait for their turn, and for their bot's conversation", async () => {
    const { store } = current;
    const { runId, conversationId } = await begin(store);
    const before = await store.conversations.get(conversationId, "alice");
    expect(await store.runs.claim(newRun({ conversationId }))).toEqual({ outcome: "busy", runId });
    expect(await store.runs.claim(newRun({ conversationId, botId: "agent" }))).toEqual({
      outcome: "wrongBot",
    });
    expect(await store.conversations.get(conversationId, "alice")).toEqual(before);
    const { items } = await store.conversations.messages(conversationId, { limit: 5 });
    expect(items).toHaveLength(1);
  });

  test("of another bot than their conversation's do not begin, nobody else's run in the way or not", async () => {
    const { store } = current;
    const { conversationId } = await exchange(store);
    const before = await store.conversations.get(conversationId, "alice");
    const ofAnother = newRun({ conversationId, botId: "agent", message: "What?" });
    expect(await store.runs.claim(ofAnother)).toEqual({ outcome: "wrongBot" });
    expect(await store.runs.get(ofAnother.runId, "alice")).toBeUndefined();
    expect(await store.conversations.get(conversationId, "alice")).toEqual(before);
    // One that was created, and has no run yet.
    const empty = { conversationId: randomUUID(), botId: "chat", userId: "alice" };
    const created = await store.conversations.create(empty);
    expect(await store.runs.claim({ ...ofAnother, ...empty, botId: "agent" })).toEqual({
      outcome: "wrongBot",
    });
    expect(await store.conversations.get(empty.conversationId, "alice")).toEqual(created);
  });

  test("claimed many times at once are claimed once", async () => {
    const { store } = current;
    const input = newRun();
    const claims = await Promise.all(Array.from({ length: 20 }, () => store.runs.claim(input)));
    const outcomes = claims.map((claim) => claim.outcome).sort();
    expect(outcomes).toEqual(["claimed", ...Array(19).fill("exists")]);
  });

  test("of one conversation begun at once are one, and the others busy with it", async () => {
    const { store } = current;
    const { conversationId } = await exchange(store);
    const claims = await Promise.all(
      Array.from({ length: 20 }, () => store.runs.claim(newRun({ conversationId }))),
    );
    const running = await store.runs.running(conversationId);
    const busy = { outcome: "busy", runId: running?.runId };
    const refused = claims.filter((claim) => claim.outcome !== "claimed");
    expect(refused).toEqual(Array(19).fill(busy));
  });

  test("end with all that is known of them", async () => {
    const { store } = current;
    const run = await begin(store);
    const error = new LangwireError("PROVIDER_ERROR").toFailure();
    const usage = { inputTokens: 3, outputTokens: 5, totalTokens: 8 };
    const ending = endingOf(run, {
      status: "failed",
      text: "Half",
      error,
      usage,
      providerCalls: 2,
    });
    const ended = { ...run, ...ending };
    expect(await store.runs.finish(ending)).toEqual({ finished: true, run: ended });
    expect(await store.runs.get(run.runId, "alice")).toEqual(ended);
    expect(await store.runs.running(run.conversationId)).toBeUndefined();
  });

  test("end once, and whoever comes second is told how", async () => {
    const { store } = current;
    const run = await begin(store);
    const endings = Array.from({ length: 10 }, (_, index) =>
      endingOf(run, { text: `${index}`, endSeq: 10 + index }),
    );
    const results = await Promise.all(endings.map((ending) => store.runs.finish(ending)));
    const ended = await store.runs.get(run.runId, "alice");
    expect(results.map((result) => result.finished).sort()).toEqual([
      ...Array(9).fill(false),
      true,
    ]);
    expect(results.map((result) => result.run)).toEqual(Array(10).fill(ended));
    expect(await store.conversations.lastSeq(run.conversationId)).toBe(ended?.endSeq);
  });

  test("take the same ending twice, for whoever did not hear the answer", async () => {
    const { store } = current;
    const ending = endingOf(await begin(store));
    const first = await store.runs.finish(ending);
    expect(first.finished).toBe(true);
    expect(await store.runs.finish(ending)).toEqual(first);
  });

  test("do not end before they began", async () => {
    const { store } = current;
    const run = await begin(store);
    await expect(store.runs.finish(endingOf(run, { endSeq: run.firstSeq }))).rejects.toThrow();
    expect(await store.runs.get(run.runId, "alice")).toEqual(run);
  });

  test("that nobody began cannot end", async () => {
    const { runId } = newRun();
    const ending = { status: "completed", text: "", endSeq: 9, endedAt: "2026-01-01T00:00:00Z" };
    expect(await current.store.runs.finish({ ...ending, runId, status: "completed" })).toEqual({
      finished: false,
      run: undefined,
    });
  });

  test("left behind are found", async () => {
    const { store } = current;
    const left = [await begin(store), await begin(store, { userId: "bob" })];
    await exchange(store);
    const byId = (a: { runId: string }, b: { runId: string }) => (a.runId < b.runId ? -1 : 1);
    expect((await store.runs.unfinished()).sort(byId)).toEqual(left.sort(byId));
  });

  test("in progress are found by their owners, as long as they are in progress", async () => {
    const { store } = current;
    expect(await store.runs.owners()).toEqual([]);
    const mine = await begin(store, { owner: "node-a" });
    const alsoMine = await begin(store, { owner: "node-a" });
    await begin(store, { owner: "node-b" });
    const nobodys = await begin(store);
    expect(mine.owner).toBe("node-a");
    expect(new Set(await store.runs.owners())).toEqual(new Set(["node-a", "node-b", null]));
    const idsOf = (runs: readonly { runId: string }[]) => new Set(runs.map(({ runId }) => runId));
    expect(idsOf(await store.runs.ownedBy("node-a"))).toEqual(idsOf([mine, alsoMine]));
    expect(await store.runs.ownedBy(null)).toEqual([nobodys]);
    const { run } = await store.runs.finish(endingOf(mine));
    expect(run?.owner).toBe("node-a");
    expect(idsOf(await store.runs.ownedBy("node-a"))).toEqual(idsOf([alsoMine]));
  });

  test("that ended after a place are found in order", async () => {
    const { store } = current;
    const first = await exchange(store, {}, { endSeq: 10 });
    const { conversationId } = first;
    const second = await exchange(store, { conversationId }, { endSeq: 20 });
    const third = await exchange(store, { conversationId }, { endSeq: 30 });
    await begin(store, { conversationId });
    await exchange(store);
    const ended = [first, second, third].map((run) => ({ ...run, archived: false }));
    expect(await store.runs.endedBetween(conversationId, 0, 10)).toEqual(ended);
    expect(await store.runs.endedBetween(conversationId, 10, 10)).toEqual(ended.slice(1));
    expect(await store.runs.endedBetween(conversationId, 10, 1)).toEqual(ended.slice(1, 2));
    expect(await store.runs.endedBetween(conversationId, 30, 10)).toEqual([]);
  });

  test("that ended are read no more at once than memory should hold, and one at least", async () => {
    const { store } = current;
    const conversationId = randomUUID();
    const texts = [5_000_000, 1, 1, 262_000, 1].map((bytes) => "x".repeat(bytes));
    for (const text of texts) await exchange(store, { conversationId, message: "m" }, { text });
    const reads: number[][] = [];
    let after = 0;
    do {
      const ended = await store.runs.endedBetween(conversationId, after, 20);
      reads.push(ended.map(({ text = "" }) => text.length));
      after = ended.at(-1)?.endSeq ?? 0;
    } while (after > 0);
    expect(reads).toEqual([[5_000_000], [1, 1, 262_000, 1], []]);
    await exchange(store, { conversationId, message: "x".repeat(200_000) });
    await exchange(store, { conversationId, message: "x".repeat(200_000) });
    expect(await store.runs.endedBetween(conversationId, after, 20)).toHaveLength(1);
    expect(await store.runs.endedBetween(conversationId, 10, 20)).toHaveLength(4);
  });

  test("take no id that the database would alter", async () => {
    const { store } = current;
    for (const userId of ["ali\0ce", "alice\uD800"]) {
      const refused = { code: "BAD_INPUT" };
      await expect(store.runs.claim(newRun({ userId }))).rejects.toMatchObject(refused);
      await expect(store.conversations.list(userId, { limit: 1 })).rejects.toMatchObject(refused);
    }
    expect(await store.runs.unfinished()).toEqual([]);
  });

  test("are found by who has begun them, in progress and ended", async () => {
    const { runs } = current.store;
    const run = await begin(current.store, { owner: "node-1" });
    expect(await runs.begunBy("node-1", run.runId)).toEqual(run);
    expect(await runs.begunBy("node-2", run.runId)).toBeUndefined();
    const { run: ended } = await runs.finish(endingOf(run));
    expect(await runs.begunBy("node-1", run.runId)).toEqual(ended);
  });
}
