/** What another process of the cluster asks of this one is done at once; what it does not know is left. */
import { expect, test, vi } from "vitest";
import { Catalogue } from "../../src/bots/catalogue.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import type { Cluster } from "../../src/runs/cluster/cluster.ts";
import type { Notice } from "../../src/runs/cluster/notices.ts";
import { Runs } from "../../src/runs/runs.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { all, botWaiting, caller, newRun, upTo } from "./run-bench.ts";

/** A process whose proofs of membership last: a removal is not found without being told. */
async function start() {
  const stack = new AsyncDisposableStack();
  const store = stack.use(await openSqliteStore({ path: ":memory:" }));
  const log = stack.use(new MemoryLog());
  const notify = { of: (_notice: Notice): void => expect.fail("nobody listens") };
  const publish = vi.fn();
  const cluster = {
    ...{ nodeId: "here", joined: true, interruptions: 0, lookAgainMs: 60_000, publish },
    proofs: { renewMs: 600_000, validMs: Number.POSITIVE_INFINITY },
    onNotice: (handler: (notice: Notice) => void) => {
      notify.of = handler;
    },
    onStoreElsewhere: () => {},
    storeToldEnd: async () => false,
  } as unknown as Cluster;
  const bots = new Catalogue([botWaiting(new Promise(() => {}))]);
  const runs = stack.use(await Runs.start({ bots, store, log, cluster }));
  return { store, runs, publish, notify, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test("a run that is to be stopped is; one that is not in progress here is left alone", async () => {
  await using s = await start();
  const [going, run] = [newRun(), newRun()];
  const reading = await s.runs.send(caller, going);
  const stopped = await s.runs.send(caller, run);
  await upTo(stopped, "token");
  await upTo(reading, "token");
  for (const runId of [newRun().runId, run.runId]) s.notify.of({ type: "stop", runId });
  expect((await all(stopped)).at(-1)?.event).toMatchObject({ status: "cancelled" });
  await expect.poll(() => [...s.runs.live.keys()]).toEqual([going.runId]);
  expect(s.publish).not.toHaveBeenCalled();
});

test("a run that is to be stopped while it is being started is stopped once it has", async () => {
  await using s = await start();
  const run = newRun();
  const { claim } = s.store.runs;
  const [asked, answers] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  vi.spyOn(s.store.runs, "claim").mockImplementation(async (input) => {
    asked.resolve();
    await answers.promise;
    return await claim.call(s.store.runs, input);
  });
  const sending = s.runs.send(caller, run);
  await asked.promise;
  s.notify.of({ type: "stop", runId: run.runId });
  answers.resolve();
  expect((await all(await sending)).at(-1)?.event).toMatchObject({ status: "cancelled" });
});

test("the others are told what is to be stopped and is not here, and whose members changed", async () => {
  await using s = await start();
  const [here, elsewhere] = [newRun(), newRun()];
  const reading = await s.runs.send(caller, here);
  await upTo(reading, "token");
  for (const { runId } of [here, elsewhere]) s.runs.stop(runId);
  expect((await all(reading)).at(-1)?.event).toMatchObject({ status: "cancelled" });
  const { conversationId } = here;
  await s.runs.membersChanged(conversationId, ["bob"]);
  await s.runs.membersChanged(conversationId);
  expect(s.publish.mock.calls).toEqual([
    [{ type: "stop", runId: elsewhere.runId }],
    [{ type: "revoke", conversationId, userIds: ["bob"] }],
    [{ type: "revoke", conversationId, userIds: undefined }],
  ]);
});

test("of a conversation whose members changed the store is asked, and who is none is shut out", async () => {
  await using s = await start();
  const { conversationId } = newRun();
  const { conversations } = s.store;
  await conversations.create({ conversationId, botId: "test", userId: caller.userId });
  await conversations.share(conversationId, caller.userId);
  await conversations.join(conversationId, "bob");
  const watches = [caller, { userId: "bob" }];
  const [owner, guest] = await Promise.all(
    watches.map((who) => s.runs.watch(who, { conversationId })),
  );
  const shutOut = guest?.next();
  // The notice names who was removed as its process has heard; what counts is what the store has.
  s.notify.of({ type: "revoke", conversationId, userIds: ["bob"] });
  await s.runs.membersChanged(conversationId);
  expect(guest?.closed).toBe(false);
  await conversations.leave(conversationId, "bob");
  s.notify.of({ type: "revoke", conversationId, userIds: [] });
  await expect(shutOut).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(owner?.closed).toBe(false);
});
