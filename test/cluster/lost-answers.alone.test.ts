/**
 * Postgres's answers, lost one by one: each kind of loss at each statement of beginning, ending and
 * cancelling a run, and of removing a member. Whoever asks again is answered, every run ends once, its
 * conversation is free, and nobody who was removed reads on.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestServer } from "../../src/testing/index.ts";
import { type FaultRow, faultRow } from "../faults/fault-table.ts";
import { full } from "../faults/form.ts";
import {
  type AnswerFault,
  answerFaults,
  type PostgresProxy,
  startPostgresProxy,
} from "../support/postgres-proxy.ts";
import { needsRedis } from "../support/redis.ts";
import { codeOf, type Reading, read, wsClient } from "../support/stock-client.ts";
import { answered, ended, endOf, soon } from "./asking.ts";
import { ClusterWorld, shortTimes } from "./world.ts";

/** The statements that the store sends for each, in their order. */
const statements = {
  claim: [
    ...[
      /^select .*from "runs" as "r" inner/,
      /^start transaction|^begin/,
      /^update "conversations"/,
    ],
    ...[/^insert into "conversations"/, /^insert into "runs"/, /^commit/],
  ],
  finish: [
    ...[/^start transaction|^begin/, /^update "runs"/],
    ...[/^insert into "run_messages"/, /^insert into "run_archives"/, /^commit/],
  ],
  cancel: [/^select .*from "runs" as "r" inner/, /^update "runs"/],
  unshare: [
    /^start transaction|^begin/,
    /^update "conversations"/,
    /^delete from "members"/,
    /^commit/,
  ],
  leave: [/^delete from "members"/],
  delete: [
    ...[/^start transaction|^begin/, /^update "conversations"/],
    ...[/^insert into "pending_deletions"/, /^delete from "runs"/],
    ...[/^delete from "members"/, /^commit/, /^delete from "pending_deletions"/],
  ],
} as const;
type Operation = keyof typeof statements;

interface Case {
  readonly operation: Operation;
  readonly statement: RegExp;
  readonly fault: AnswerFault;
}

const cases: readonly Case[] = answerFaults.flatMap((fault) =>
  Object.entries(statements).flatMap(([operation, all]) =>
    all.map((statement) => ({ operation: operation as Operation, statement, fault })),
  ),
);

/** One whose answer never comes takes as long as a connection may be silent: these go first. */
const slowest = (fault: AnswerFault) => (fault === "noAnswer" ? 0 : 1);
const nodes = 12;
/** Processes that have a database for themselves, and no Redis. */
const alone = 4;
/** There, what is carried out unheard is what nobody else would tell of. */
const isForOneAlone = ({ operation, statement, fault }: Case): boolean =>
  ["unshare", "leave", "delete"].includes(operation) &&
  (full ||
    (/commit|members/.test(statement.source) && !["noAnswer", "lostRequest"].includes(fault)));
const clusterTimes = { ...shortTimes, proofs: { renewMs: 500, validMs: 1_500 } };
const runLimits = { storeTimeoutMs: 1_000, reconcileMs: 1_000 };

/** A process whose way to Postgres is the proxy. */
interface Lane {
  readonly proxy: PostgresProxy;
  readonly node: TestServer;
  /** Another one that nothing happens to; where there is none, itself. */
  readonly other: TestServer;
}

needsRedis("answers of Postgres", () => {
  let world: ClusterWorld;
  let steady: TestServer;
  const shared: Lane[] = [];
  const single: Lane[] = [];

  beforeAll(async () => {
    world = await ClusterWorld.start();
    steady = await world.startNode({ clusterTimes }, { runLimits });
    // One after the other: all at once, a busy machine is late with what a node asks before it joins.
    for (let index = 0; index < nodes; index++) {
      const proxy = await startPostgresProxy({ port: world.postgres.port });
      const databaseUrl = proxy.url(world.database.url);
      const node = await world.startNode({ databaseUrl, clusterTimes }, { runLimits });
      shared.push({ proxy, node, other: steady });
    }
    for (let index = 0; index < alone; index++) {
      const proxy = await startPostgresProxy({ port: world.postgres.port });
      const { url } = await world.postgres.createDatabase();
      const settings = { databaseUrl: proxy.url(url), redisUrl: undefined };
      const node = await world.startNode(settings, { runLimits });
      single.push({ proxy, node, other: node });
    }
  });

  afterAll(async () => {
    for (const { node, proxy } of [...shared, ...single]) {
      await node[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    }
    await steady[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  test("are lost, each kind at each statement, and nothing is", {
    timeout: 180_000,
  }, async (context) => {
    const row = faultRow(context, "an answer of Postgres is lost, late, or orphaned");
    const broken = [
      ...(await Promise.all([
        playAll(shared, cases, row),
        playAll(single, cases.filter(isForOneAlone), row),
      ])),
    ];
    expect(broken.flat()).toEqual([]);
  });

  test.each(["of several", "alone"])(
    "a removal that is carried out late, and not asked for again, counts all the same: %s",
    async (which) => {
      const [lane] = which === "alone" ? single : shared;
      if (lane === undefined) throw new Error("there is no process");
      const { node, proxy } = lane;
      using ann = wsClient(node.url, { userId: "ann" });
      using eve = wsClient(node.url, { userId: "eve" });
      const conversationId = randomUUID();
      await ann.api.conversations.create.mutate({ conversationId, botId: "test" });
      await ann.api.conversations.share.mutate({ conversationId });
      await eve.api.conversations.join.mutate({ conversationId });
      const run = world.newRun({ steps: ["one ", "stall"] }, conversationId);
      const sent = read((options) => ann.api.chat.send.subscribe(run, options));
      const watching = read((options) => eve.api.chat.watch.subscribe({ conversationId }, options));
      await watching.until(({ type }) => type === "token");
      void proxy.next(/^commit/, "orphanedRequest", conversationId);
      await expect(ann.api.conversations.unshare.mutate({ conversationId })).rejects.toMatchObject({
        data: { langwire: { code: "STORE_UNAVAILABLE" } },
      });
      await expect(soon(watching.completed, 60_000)).rejects.toMatchObject({
        data: { langwire: { code: "NOT_FOUND" } },
      });
      sent.stop();
      await ann.api.chat.cancel.mutate({ runId: run.runId });
    },
  );

  async function playAll(lanes: readonly Lane[], all: readonly Case[], row: FaultRow) {
    const queue = [...all].sort((a, b) => slowest(a.fault) - slowest(b.fault));
    const broken: string[] = [];
    const work = async (lane: Lane) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { operation, statement, fault } = next;
        try {
          await soon(play(lane, next, row), 60_000);
        } catch (cause) {
          const where = lane.other === lane.node ? "alone" : "of several";
          const why = cause instanceof Error ? cause.message : cause;
          broken.push(`${where}: ${operation}, ${fault} at ${statement}: ${why}`);
        }
      }
    };
    await Promise.all(lanes.map(work));
    return broken;
  }

  async function play(lane: Lane, { operation, statement, fault }: Case, row: FaultRow) {
    const { node, proxy, other } = lane;
    const conversationId = randomUUID();
    using ann = wsClient(node.url, { userId: "ann" });
    using eve = wsClient(other.url, { userId: "eve" });
    const { conversations, chat } = ann.api;
    const isNew = operation === "claim" && /insert into "conv/.test(statement.source);
    if (!isNew) {
      await conversations.create.mutate({ conversationId, botId: "test" });
      await conversations.share.mutate({ conversationId });
      await eve.api.conversations.join.mutate({ conversationId });
    }
    const arm = () => proxy.next(statement, fault);
    const watching = isNew
      ? undefined
      : read((options) => eve.api.chat.watch.subscribe({ conversationId }, options));
    const gate = Promise.withResolvers<void>();
    // An answer that is not its text alone is stored with all that the store has a statement for.
    const steps = [{ reasoning: "Hm. " }, "one ", { until: gate.promise }, "two"];
    const run = world.newRun({ steps }, conversationId);
    const send = () => read((options) => chat.send.subscribe(run, options));
    let hit: Promise<void>;
    switch (operation) {
      case "claim": {
        hit = arm();
        gate.resolve();
        await ended(send);
        break;
      }
      case "finish": {
        const sent = send();
        await sent.until(({ type }) => type === "token");
        hit = arm();
        gate.resolve();
        expect(await endOf(sent)).toMatchObject({ status: "completed", text: "one two" });
        break;
      }
      case "cancel": {
        const sent = send();
        await sent.until(({ type }) => type === "token");
        hit = arm();
        await answered(() => chat.cancel.mutate({ runId: run.runId }));
        expect(await endOf(sent)).toMatchObject({ status: "cancelled", text: "one " });
        break;
      }
      case "unshare":
      case "leave":
      case "delete": {
        const sent = send();
        await watching?.until(({ type }) => type === "token");
        using eveHere = wsClient(node.url, { userId: "eve" });
        const who = operation === "leave" ? eveHere : ann;
        hit = arm();
        await answered((again) =>
          who.api.conversations[operation].mutate({ conversationId }).catch((cause) => {
            if (!again || codeOf(cause) !== "NOT_FOUND") throw cause;
          }),
        );
        await expect(soon(watching?.completed, 60_000)).rejects.toMatchObject({
          data: { langwire: { code: "NOT_FOUND" } },
        });
        if (operation === "delete") {
          // Nobody is told of its end; its provider is not kept at it.
          await world.provider.calls.find(({ lastText }) => lastText === run.message)?.closed;
          sent.stop();
        } else {
          gate.resolve();
          expect(await endOf(sent)).toMatchObject({ status: "completed" });
        }
        break;
      }
    }
    await hit;
    proxy.disarm();
    expect(world.callsOf(run.message)).toBeLessThan(2);
    if (operation !== "delete") await isInOrder(lane, run, { watching, ann });
    watching?.stop();
    row.cases += 1;
  }

  /** The store has the end that was told, here and elsewhere; and the conversation is free. */
  async function isInOrder(
    { other }: Lane,
    run: ReturnType<ClusterWorld["newRun"]>,
    { watching, ann }: { watching: Reading | undefined; ann: ReturnType<typeof wsClient> },
  ) {
    const { runId, conversationId } = run;
    const told = watching?.received.find(
      ({ event: it }) => it.type === "runEnd" && it.runId === runId,
    );
    const stored = () => other.langwire.store.runs.get(runId, "ann");
    await expect.poll(async () => (await stored())?.status).not.toBe("running");
    using there = wsClient(other.url, { userId: "ann" });
    const again = await endOf(
      read((options) => there.api.chat.follow.subscribe({ runId }, options)),
    );
    const { status, text = "" } = (await stored()) ?? {};
    expect(again).toMatchObject({ status, text });
    if (told !== undefined) expect(told.event).toEqual(again);
    const { store } = other.langwire;
    await expect.poll(async () => (await store.archives.get(runId)).length).toBe(1);
    const { items } = await store.conversations.messages(conversationId, { limit: 10 });
    const answer = items.filter((item) => item.runId === runId && item.role === "ai");
    const parts = [
      { type: "reasoning", text: "Hm. " },
      { type: "text", text, final: true },
    ];
    expect(answer).toMatchObject([{ parts: text === "" ? [] : parts }]);
    const next = world.newRun({ steps: ["next"] }, conversationId);
    const end = await ended(() => read((options) => ann.api.chat.send.subscribe(next, options)));
    expect(end).toMatchObject({ status: "completed", text: "next" });
  }
});
