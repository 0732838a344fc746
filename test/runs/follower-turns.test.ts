/** What a reader asks before it hands an event on, when it lets others have their turn, and what it tells of how long it took. */
import { expect, onTestFinished, test, vi } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { entryOf, runId, setUp, turn } from "./follower-bench.ts";

test("a reader of one run is over with its end, and one of all is not", async () => {
  for (const [of, seqs] of [
    [{ runId }, [1, 2]],
    [{}, [1, 2, 3]],
  ] as const) {
    const it = setUp(of);
    const end = { type: "runEnd", runId, at: "2026-01-01", status: "completed", text: "" } as const;
    it.world.entries.push(entryOf(1), LogEntry.of(2, end), entryOf(3));
    const follower = await it.start();
    const taken: number[] = [];
    const delivering = follower.deliver(({ seq }) => void taken.push(seq));
    expect([of, taken, follower.closed]).toEqual([of, seqs, "runId" in of]);
    expect(follower.position).toBe(seqs.length);
    await follower.return();
    await delivering;
  }
});

test("before each event it is asked whether the reader may have it, and then whether its socket takes it", async () => {
  const said: string[] = [];
  const waits: Partial<Record<"proof" | "socket", PromiseWithResolvers<void>>> = {};
  const ask = (what: "proof" | "socket") => {
    said.push(waits[what] === undefined ? what : `${what}?`);
    return waits[what]?.promise;
  };
  const it = setUp({ pacer: { ready: () => ask("socket") } });
  const follower = await it.start();
  follower.readBy({ proof: () => ask("proof") });
  it.append(2);
  const heard = async (count: number) => {
    for (let event = 0; event < count; event++) said.push(`${(await follower.next()).value?.seq}`);
    return said.splice(0).join(" ");
  };
  // What was read has come; that there is more is asked for before it is read.
  expect(await heard(2)).toBe("proof socket proof socket 1 proof socket 2");
  it.append(1);
  for (const what of ["proof", "socket"] as const) {
    const wait = Promise.withResolvers<void>();
    waits[what] = wait;
    const next = follower.next();
    expect(said.splice(0).at(-1)).toBe(`${what}?`);
    delete waits[what];
    wait.resolve();
    expect((await next).done).toBe(false);
    expect(said.splice(0)).toContain(what);
    it.append(1);
  }
  const refused = Promise.withResolvers<void>();
  waits.proof = refused;
  const reading = follower.next();
  refused.reject(new Error("removed"));
  await expect(reading).rejects.toThrow("removed");
  expect([said, follower.closed]).toEqual([["proof?"], true]);
});

test("after 32 events in a row others have their turn; whoever has waited begins anew", async () => {
  const it = setUp();
  const follower = await it.start();
  let taken = 0;
  const delivering = follower.deliver(() => void taken++);
  const perTurn: number[] = [];
  const count = () => void perTurn.push(taken);
  it.append(100);
  for (let turns = 0; turns < 4; turns++) {
    count();
    await turn();
  }
  expect(perTurn.splice(0)).toEqual([32, 64, 96, 100]);
  for (let times = 0; times < 4; times++) {
    it.append(31);
    count();
  }
  expect(perTurn).toEqual([131, 162, 193, 224]);
  await follower.return();
  await delivering;
});

test("of one call of the log in 32 it is told how long it took until an event was handed over", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const tookMs: number[] = [];
  const it = setUp({ onDelivered: (afterMs) => void tookMs.push(afterMs) });
  const follower = await it.start();
  let taken = 0;
  const delivering = follower.deliver(() => void taken++);
  for (let calls = 1; calls <= 65; calls++) {
    const reading = Promise.withResolvers<void>();
    it.world.reading = reading.promise;
    it.append();
    vi.advanceTimersByTime(calls);
    reading.resolve();
    await turn();
    expect(taken).toBe(calls);
  }
  // Of the first, the 33rd and the 65th.
  expect(tookMs).toEqual([1, 33, 65]);
  // It is counted from the first call on that is timed, however many come until then.
  const reading = Promise.withResolvers<void>();
  it.world.reading = reading.promise;
  it.append();
  for (let calls = 0; calls < 70; calls++) {
    it.append();
    vi.advanceTimersByTime(1);
  }
  reading.resolve();
  await turn();
  expect(tookMs.slice(3)).toEqual([40]);
  await follower.return();
  await delivering;
});

test("behind what the log says is its last nothing is read until it has changed", async () => {
  const it = setUp();
  const follower = await it.start();
  const delivering = follower.deliver(() => {});
  it.append(2);
  it.append(1);
  expect(it.world.reads).toEqual([0, 0, 2]);
  await follower.return();
  await delivering;
});

test("what stands in for a gap is told once it is known, though the log goes on meanwhile", async () => {
  const known = Promise.withResolvers<LogEntry[]>();
  const asked: number[] = [];
  const it = setUp({
    backfill: {
      acrossGap: (after) => {
        asked.push(after);
        return after === 0 ? known.promise : Promise.resolve([]);
      },
      afterSilence: async () => [],
      isWithinArchive: () => false,
    },
  });
  it.world.oldest = 4;
  it.append(5);
  const follower = await it.start();
  const taken: number[] = [];
  const delivering = follower.deliver(({ seq }) => void taken.push(seq));
  it.append();
  known.resolve([entryOf(2)]);
  await turn();
  expect([taken, asked]).toEqual([
    [2, 4, 5, 6],
    [0, 2],
  ]);
  await follower.return();
  await delivering;
});

test("what the store says after silence is nothing to a reader who reads the log again meanwhile", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const known = Promise.withResolvers<LogEntry[]>();
  const it = setUp({
    silenceMs: 1_000,
    backfill: {
      acrossGap: async () => [],
      afterSilence: () => known.promise,
      isWithinArchive: () => false,
    },
  });
  const follower = await it.start();
  const taken: string[] = [];
  const delivering = follower.deliver(({ seq, type }) => void taken.push(`${seq} ${type}`));
  vi.advanceTimersByTime(1_000);
  const reading = Promise.withResolvers<void>();
  it.world.reading = reading.promise;
  it.append(2);
  known.resolve([LogEntry.of(2, { type: "reset", runId, spanId: "s" })]);
  await turn();
  expect(taken).toEqual([]);
  reading.resolve();
  await turn();
  expect(taken).toEqual(["1 custom", "2 custom"]);
  await follower.return();
  await delivering;
});
