/** Which archives are held for readers, for how long, and what becomes of what was asked before it was forgotten. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ArchiveWriter } from "../../src/log/archive/run-archive.ts";
import { LogEntry } from "../../src/log/entry.ts";
import { ArchivedRuns } from "../../src/runs/following/archived-runs.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const entryOf = (runId: string, seq: number) =>
  LogEntry.of(seq, { type: "custom", runId, spanId: "s", name: `${seq}` });

async function archiveOf(...runIds: string[]): Promise<Uint8Array> {
  const writer = new ArchiveWriter();
  await writer.add(runIds.map((runId, index) => entryOf(runId, index + 1)));
  return (await writer.end()).events;
}

/** @param archives of as many bytes as `room` of them are held */
async function start(room: number) {
  const one = (await archiveOf("a")).byteLength;
  const asked: string[] = [];
  const failed: string[] = [];
  const waiting: PromiseWithResolvers<void>[] = [];
  let slow = false;
  const given = new Map<string, Uint8Array>();
  const get = async (runId: string) => {
    asked.push(runId);
    const events = given.get(runId) ?? (await archiveOf(runId));
    if (slow) {
      const answer = Promise.withResolvers<void>();
      waiting.push(answer);
      await answer.promise;
    }
    return [{ events, rawBytes: 0 }];
  };
  const archives = new ArchivedRuns({
    store: { archives: { get } } as never,
    observer: { failed: (what, cause) => failed.push(`${what}: ${String(cause)}`) },
    maxBytes: room * one,
  });
  const read = async (...runIds: string[]) => {
    for (const runId of runIds) {
      const entries = await archives.after(runId, 0);
      expect(entries.map((entry) => entry.runId)).toEqual([runId]);
    }
    return asked.splice(0).join("");
  };
  return { archives, read, asked, failed, given, waiting, slowly: () => (slow = true) };
}

test("as many are held as there is room for, and the oldest leave for the newest", async () => {
  const { read } = await start(2);
  expect(await read("a", "b", "a", "b")).toBe("ab");
  expect(await read("c", "b", "c")).toBe("c");
  expect(await read("a")).toBe("a");
  expect(await read("c", "a", "b")).toBe("b");
});

test("one that is larger than all that may be held is held alone", async () => {
  const { read } = await start(0.5);
  expect(await read("a", "a")).toBe("a");
  expect(await read("b", "b", "a")).toBe("ba");
});

test("for a second, and what was forgotten leaves room", async () => {
  const { archives, read } = await start(2);
  for (let round = 0; round < 3; round++) {
    expect(await read("a", "b", "a")).toBe("ab");
    vi.advanceTimersByTime(999);
    expect(await read("a", "b")).toBe("");
    vi.advanceTimersByTime(1);
    expect(await read("a", "b")).toBe("ab");
    for (const runId of ["a", "b", "never was"]) archives.forget(runId);
  }
  expect(vi.getTimerCount()).toBe(0);
  await read("a");
  archives[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});

test("an answer that comes after its archive was forgotten is given, and not held", async () => {
  const { archives, asked, waiting, slowly } = await start(2);
  slowly();
  const before = archives.after("a", 0);
  archives.forget("a");
  const now = archives.after("a", 0);
  await expect.poll(() => waiting).toHaveLength(2);
  waiting[0]?.resolve();
  expect(await before).toHaveLength(1);
  waiting[1]?.resolve();
  expect(await now).toHaveLength(1);
  // Counted once: another one has room beside it.
  const other = archives.after("b", 0);
  await expect.poll(() => waiting).toHaveLength(3);
  waiting[2]?.resolve();
  await other;
  expect(await archives.after("a", 0)).toHaveLength(1);
  expect(asked).toEqual(["a", "a", "b"]);
});

test("what the store could not answer is asked again, and takes no later answer with it", async () => {
  const { archives, asked, waiting, slowly } = await start(2);
  slowly();
  const refused = archives.after("a", 0);
  await expect.poll(() => waiting).toHaveLength(1);
  archives.forget("a");
  const given = archives.after("a", 0);
  await expect.poll(() => waiting).toHaveLength(2);
  waiting[1]?.resolve();
  await given;
  waiting[0]?.reject(new Error("away"));
  await expect(refused).rejects.toThrow("away");
  expect(await archives.after("a", 0)).toHaveLength(1);
  expect(asked).toEqual(["a", "a"]);
  archives.forget("a");
  const again = archives.after("a", 0);
  await expect.poll(() => waiting).toHaveLength(3);
  waiting[2]?.reject(new Error("away"));
  await expect(again).rejects.toThrow("away");
  void archives.after("a", 0).catch(() => {});
  expect(asked).toHaveLength(4);
});

test("one that has any event of another run is given to nobody, and reported", async () => {
  const { archives, failed, given } = await start(2);
  given.set("a", await archiveOf("a", "b"));
  given.set("c", Uint8Array.of(1, 2, 3));
  for (const runId of ["a", "c"]) expect(await archives.after(runId, 0)).toEqual([]);
  expect(failed).toEqual([
    expect.stringMatching(/cannot be read.*another run's events/),
    expect.stringMatching(/cannot be read.*does not begin as one/),
  ]);
});

test("one in several segments is read from the one that has what comes next", async () => {
  const events = await Promise.all(
    [1, 2].map(async (first) => {
      const writer = new ArchiveWriter();
      await writer.add([entryOf("a", first)]);
      return await writer.end();
    }),
  );
  const store = { archives: { get: async () => events } } as never;
  using archives = new ArchivedRuns({ store, observer: {} });
  const seqs = async (after: number) => (await archives.after("a", after)).map(({ seq }) => seq);
  expect([await seqs(0), await seqs(1), await seqs(2)]).toEqual([[1], [2], []]);
});
