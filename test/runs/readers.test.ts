/** Who reads at the moment: nobody is kept who has left, and a shutdown waits for those who have not. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
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
