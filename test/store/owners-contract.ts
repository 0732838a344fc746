/** Runs by the process that works on them, and whose ending counts where several tell one. */
import { expect, test } from "vitest";
import { begin, endingOf, exchange, newRun, type StorePlace, storeForEach } from "./store-place.ts";

export function describeOwners(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);

  test("have those of their runs that are in progress, and nobody else's", async () => {
    const { store } = current;
    const of = (owner?: string) => begin(store, newRun(owner === undefined ? {} : { owner }));
    const [one, two, others, nobodys] = [await of("a"), await of("a"), await of("b"), await of()];
    const ended = await exchange(store, { owner: "a" });
    const ids = (runs: readonly { runId: string }[]) => runs.map(({ runId }) => runId).sort();
    expect((await store.runs.inProgress("a")).sort()).toEqual(ids([one, two]));
    expect(await store.runs.inProgress("b")).toEqual([others.runId]);
    expect(await store.runs.inProgress("c")).toEqual([]);
    expect((await store.runs.inProgress()).sort()).toEqual(ids([one, two, others, nobodys]));
    expect(ids(await store.runs.ownedBy("a"))).toEqual(ids([one, two]));
    expect(ids(await store.runs.ownedBy(null))).toEqual([nobodys.runId]);
    expect((await store.runs.owners()).map(String).sort()).toEqual(["a", "b", "null"]);
    // What they have begun is theirs when it has ended, too.
    expect(await store.runs.begunBy("a", ended.runId)).toMatchObject({ runId: ended.runId });
    expect(await store.runs.begunBy("b", ended.runId)).toBeUndefined();
    expect(await store.runs.begunBy("b", one.runId)).toBeUndefined();
  });

  test.each([
    ["the same", {}, true],
    ["another status", { status: "cancelled" as const }, false],
    ["another end", { endSeq: 99 }, false],
    ["another time", { endedAt: "2030-01-01T00:00:00.000Z" }, false],
    ["another text alone, of which the first counts", { text: "Else." }, true],
  ])("are told again with %s", async (_what, other, isTheSame) => {
    const { store } = current;
    const ending = endingOf(await begin(store));
    const first = await store.runs.finish(ending);
    expect(first.finished).toBe(true);
    const again = await store.runs.finish({ ...ending, ...other });
    expect(again).toEqual({ finished: isTheSame, run: first.run });
  });
}
