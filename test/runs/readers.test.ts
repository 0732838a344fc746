/** Who reads at the moment: nobody is kept who has left, and a shutdown waits for those who have not. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished, test, vi } from "vitest";
import type { EventLog } from "../../src/log/log.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Readers } from "../../src/runs/following/readers.ts";
import type { Store } from "../../src/store/store.ts";
import { all, botSaying, botWaiting, caller, newRun, upTo } from "./run-bench.ts";

setFlagsFromString("--expose-gc");
const gc: () => void = runInNewContext("gc");

test("of a reader who has left nothing is kept, whichever way it left", async () => {
  await using langwire = await openLangwire({ bots: [botSaying({ tokens: ["a"] })] });
  const run = newRun();
  let closed = 0;
  const onClose = () => void closed++;
  const left = await (async () => {
    const stopping = new AbortController();
    const { signal } = stopping;
    const ended = await langwire.runs.send(caller, run, { onClose });
    await all(ended);
    const returned = await langwire.runs.watch(caller, run, { onClose });
    await returned.return();
    const aborted = await langwire.runs.watch(caller, run, { onClose, signal });
    stopping.abort();
    return [ended, returned, aborted].map((follower) => new WeakRef(follower));
  })();
  expect(closed).toBe(3);
  // A WeakRef is kept to the end of the turn that made it.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  gc();
  expect(left.map((follower) => follower.deref())).toEqual([undefined, undefined, undefined]);
});

test("a shutdown waits until a slow reader of a run has taken its end", async () => {
  const gate = Promise.withResolvers<void>();
  await using langwire = await openLangwire({ bots: [botWaiting(gate.promise)] });
  const room = Promise.withResolvers<void>();
  let busy = false;
  const pacer = { ready: () => (busy ? room.promise : undefined) };
  const follower = await langwire.runs.send(caller, newRun(), { pacer });
  await upTo(follower, "token");
  busy = true;
  const reading = all(follower);
  let drained = false;
  const draining = langwire.runs.drain(60_000).then(() => {
    drained = true;
  });
  gate.resolve();
  await expect.poll(() => langwire.runs.live.size).toBe(0);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(drained).toBe(false);
  busy = false;
  room.resolve();
  expect((await reading).at(-1)?.type).toBe("runEnd");
  await draining;
});

test("a removal does not wait for a store that is away; readers do, and go on when it is back", async () => {
  const gate = Promise.withResolvers<void>();
  await using langwire = await openLangwire({ bots: [botWaiting(gate.promise)] });
  const run = newRun();
  const follower = await langwire.runs.send(caller, run);
  await upTo(follower, "token");
  const asking = vi.spyOn(langwire.store.conversations, "stillMembers");
  asking.mockRejectedValue(new LangwireError("STORE_UNAVAILABLE"));
  await langwire.runs.membersChanged(run.conversationId);
  const reading = all(follower);
  gate.resolve();
  await expect.poll(() => langwire.runs.live.size).toBe(0);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(follower.closed).toBe(false);
  asking.mockRestore();
  expect((await reading).at(-1)?.type).toBe("runEnd");
});

test("whoever reads when the process ends is done", async () => {
  const langwire = await openLangwire({ bots: [botWaiting(new Promise(() => {}))] });
  const run = newRun();
  const sending = await langwire.runs.send(caller, run);
  const readers = [sending, await langwire.runs.watch(caller, run)];
  const reading = readers.map((follower) => all(follower));
  await langwire[Symbol.asyncDispose]();
  const ends = (await Promise.all(reading)).map((entries) => entries.at(-1)?.type);
  expect(ends).toEqual(["runEnd", "runEnd"]);
});

test.each([
  ["has ended", 2, 500],
  ["is in progress", undefined, 10_000],
])(
  "of a run that %s the store is asked once its log has said nothing for a while",
  async (_what, end, silenceMs) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    let asked = 0;
    const get = async () => {
      asked += 1;
      return undefined;
    };
    const log = { subscribe: async () => () => {}, read: () => ({ entries: [], oldest: 1 }) };
    await using readers = new Readers({
      store: { runs: { get } } as unknown as Store,
      log: log as unknown as EventLog,
      ...{ doubts: { lookAgainMs: 10_000, interruptions: 0 }, observer: {} },
    });
    const known = { start: 0, last: end, restart: 0, end };
    const reading = { askedAtMs: performance.now(), conversationId: "c", runId: "r" };
    const follower = await readers.follow(caller, {}, { ...reading, position: undefined, known });
    const told = expect(follower.next()).rejects.toMatchObject({ code: "NOT_FOUND" });
    await vi.advanceTimersByTimeAsync(silenceMs - 1);
    expect(asked).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toBe(1);
    await told;
  },
);
