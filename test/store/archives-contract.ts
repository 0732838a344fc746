/** The events of runs that have ended: kept with them, read, pruned, and deleted with them. */
import { randomBytes, randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Ending, Store } from "../../src/store/store.ts";
import {
  begin,
  endingOf,
  exchange,
  ownClock,
  type StorePlace,
  storeForEach,
} from "./store-place.ts";

function archived(bytes = 100): Pick<Ending, "archive"> & { archive: object } {
  return { archive: { events: new Uint8Array(randomBytes(bytes)), rawBytes: bytes * 9 } };
}

export function describeArchives(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);

  const isArchived = async (store: Store, runId: string) =>
    (await store.archives.get(runId)).length > 0;

  test("are kept with the ending, byte for byte", async () => {
    const { store } = current;
    for (const bytes of [0, 1, 3_000_000]) {
      const { archive } = archived(bytes);
      const run = await exchange(store, {}, { archive, endSeq: 5_000_000_000 });
      const segments = await store.archives.get(run.runId);
      expect(segments).toEqual([
        { firstSeq: 1, lastSeq: 5_000_000_000, ...archive, events: expect.any(Uint8Array) },
      ]);
      expect(Buffer.from(segments[0]?.events ?? []).equals(archive.events)).toBe(true);
    }
    expect(await store.archives.get(randomUUID())).toEqual([]);
    expect(await store.archives.get((await exchange(store)).runId)).toEqual([]);
  });

  test("are said to be there, to who asks for runs that ended", async () => {
    const { store } = current;
    const conversationId = randomUUID();
    await exchange(store, { conversationId }, archived());
    await exchange(store, { conversationId });
    await exchange(store, { conversationId }, archived());
    const ended = await store.runs.endedBetween(conversationId, 0, 10);
    expect(ended.map((run) => run.archived)).toEqual([true, false, true]);
  });

  test("of later runs go with what a user has sent, since their bots were given it, the next one's not", async () => {
    const { store } = current;
    const conversationId = randomUUID();
    const before = await exchange(store, { conversationId }, archived());
    const sent = await exchange(store, { conversationId }, archived());
    const after = await exchange(store, { conversationId }, archived());
    const live = await begin(store, { conversationId });
    await store.administration.redact(sent.runId);
    await store.administration.redact(sent.runId);
    const { finished } = await store.runs.finish(endingOf(live, archived()));
    expect(finished).toBe(true);
    const next = await exchange(store, { conversationId }, archived());
    const ended = await store.runs.endedBetween(conversationId, 0, 10);
    expect(ended.map((run) => run.archived)).toEqual([true, false, false, false, true]);
    for (const [run, kept] of [
      [before, true],
      [sent, false],
      [after, false],
      [live, false],
      [next, true],
    ] as const) {
      expect(await isArchived(store, run.runId)).toBe(kept);
    }
  });

  test("are listed by where they are in their conversations, of the runs that ended since", async () => {
    const { store } = current;
    const clock = ownClock();
    const conversationId = randomUUID();
    const at = () => ({ endedAt: clock.nextSecond(), ...archived() });
    await exchange(store, { conversationId }, at());
    const since = clock.nextSecond();
    const second = await exchange(store, { conversationId }, at());
    await exchange(store, { conversationId }, { endedAt: clock.nextSecond() });
    const other = await exchange(store, {}, at());
    const ranges = [second, other].map((run) => {
      return { conversationId: run.conversationId, firstSeq: run.firstSeq, lastSeq: run.endSeq };
    });
    const found = await store.archives.since(since);
    const byPlace = (one: object) => JSON.stringify(one);
    expect(found.map(byPlace).sort()).toEqual(ranges.map(byPlace).sort());
    // Those of that very moment, too.
    expect(await store.archives.since(other.endedAt ?? "")).toEqual(ranges.slice(1));
    expect(await store.archives.since(clock.nextSecond())).toEqual([]);
  });

  test("are those of the first ending, however often it is repeated", async () => {
    const { store } = current;
    const run = await begin(store);
    const { archive } = archived();
    const ending = endingOf(run, { archive });
    await store.runs.finish(ending);
    await store.runs.finish(ending);
    await store.runs.finish(endingOf(run, { ...archived(), endSeq: 99 }));
    expect(await store.archives.get(run.runId)).toHaveLength(1);
    expect(await store.archives.get(run.runId)).toMatchObject([{ rawBytes: archive.rawBytes }]);
  });

  test("end with their conversation, whoever deletes it", async () => {
    const { store } = current;
    const { conversations, administration } = store;
    const clock = ownClock();
    const deletions: ((conversationId: string) => Promise<unknown>)[] = [
      (conversationId) => conversations.delete(conversationId, "alice"),
      (conversationId) => administration.delete(conversationId),
      (conversationId) => administration.deleteInactive(conversationId, clock.nextSecond()),
    ];
    const kept = await exchange(store, {}, archived());
    for (const remove of deletions) {
      const { conversationId, runId } = await exchange(store, {}, archived());
      const second = await exchange(store, { conversationId }, archived());
      await remove(conversationId);
      expect(await store.archives.get(runId)).toEqual([]);
      expect(await store.archives.get(second.runId)).toEqual([]);
    }
    expect(await isArchived(store, kept.runId)).toBe(true);
  });

  test("are pruned by the time of the run's end, all that are old and no others", async () => {
    const { store } = current;
    const clock = ownClock();
    const conversationId = randomUUID();
    const old = [];
    for (let index = 0; index < 120; index++) {
      const ending = { ...archived(index === 60 ? 1_500_000 : 100), endedAt: clock.nextSecond() };
      old.push(await exchange(store, { conversationId }, ending));
    }
    const before = clock.nextSecond();
    const recent = await exchange(store, { conversationId }, { ...archived(), endedAt: before });
    expect(await store.archives.prune(before)).toBe(120);
    expect(await store.archives.prune(before)).toBe(0);
    for (const { runId } of old) expect(await isArchived(store, runId)).toBe(false);
    expect(await isArchived(store, recent.runId)).toBe(true);
    // Their runs stay, with all else.
    expect(await store.runs.endedBetween(conversationId, 0, 200)).toHaveLength(121);
  });

  test("pruning stops when it is told to, and goes on where it stopped", async () => {
    const { store } = current;
    const endedAt = new Date(Date.now() - 1_000).toISOString();
    for (let index = 0; index < 120; index++) await exchange(store, {}, { ...archived(), endedAt });
    const before = new Date().toISOString();
    const pruned = await store.archives.prune(before, AbortSignal.abort());
    expect(pruned).toBeGreaterThan(0);
    expect(pruned).toBeLessThan(120);
    expect(await store.archives.prune(before)).toBe(120 - pruned);
  });

  test("go with what their user has sent, and so do parts, input, output and memory", async () => {
    const { store } = current;
    const { administration, conversations } = store;
    const canary = "a canary";
    const said = {
      parts: [{ type: "data" as const, name: "d", value: canary, origin: "custom" as const }],
      output: { said: canary },
      modelMessages: JSON.stringify([canary]),
    };
    const given = { message: canary, input: { given: canary } };
    const before = await exchange(store, {}, archived());
    const { conversationId } = before;
    const run = await exchange(
      store,
      { ...given, conversationId },
      { ...archived(), ...said, text: canary },
    );
    const { runId } = run;
    const other = await exchange(store, { conversationId }, { ...archived(), ...said });
    const elsewhere = await exchange(store, {}, archived());
    await administration.redact(runId);
    expect(await store.archives.get(runId)).toEqual([]);
    const { items } = await conversations.messages(conversationId, { limit: 10 });
    expect(items.slice(2, 4).map(({ text, parts, output }) => ({ text, parts, output }))).toEqual([
      { text: "", parts: [] },
      { text: "", parts: [] },
    ]);
    // Its place in the conversation stays.
    expect(items.map(({ parentId }) => parentId)).toEqual([
      undefined,
      ...[before, run].flatMap((it) => [`${it.runId}/human`, `${it.runId}/ai`]),
      `${other.runId}/human`,
    ]);
    const history = await conversations.history(conversationId, { exchanges: 9, maxBytes: 1_000 });
    expect(history.map(({ text }) => text)).toEqual(
      [before, other].flatMap(({ message }) => [message, `Answer to: ${message}`]),
    );
    const runs = await store.runs.endedBetween(conversationId, 0, 10);
    expect(runs.map((it) => [it.input, it.output, it.archived])).toEqual([
      [undefined, undefined, true],
      [undefined, undefined, false],
      [undefined, { said: canary }, false],
    ]);
    expect(await isArchived(store, elsewhere.runId)).toBe(true);
  });

  test("go too where they came after it: models were given what was said before", async () => {
    const { administration, archives } = current.store;
    const first = await exchange(current.store, {}, archived());
    const { conversationId } = first;
    const second = await exchange(current.store, { conversationId }, archived());
    const third = await exchange(current.store, { conversationId }, archived());
    const elsewhere = await exchange(current.store, {}, archived());
    expect(await administration.redact(second.runId)).toEqual([second.runId, third.runId]);
    const kept = await Promise.all(
      [first, second, third, elsewhere].map(({ runId }) => archives.get(runId)),
    );
    expect(kept.map((events) => events.length > 0)).toEqual([true, false, false, true]);
  });
}
