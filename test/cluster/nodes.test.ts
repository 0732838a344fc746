/** Several nodes, in one process: what one is asked reaches the run wherever it is. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { TestServer } from "../../src/testing/index.ts";
import { NetworkReader, type SentRun } from "../faults/world.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { type Reading, read, type StockClient, wsClient } from "../support/stock-client.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { expectWholeRun, tokensOf } from "../support/transcript.ts";
import { ClusterWorld } from "./world.ts";

type StartRedis = () => Promise<AsyncDisposable & Pick<TestRedis, "url" | "command">>;

const redises: [string, StartRedis][] = [
  ["one Redis", startRedis],
  ["a Redis Cluster", startRedisCluster],
];

needsRedis("nodes", () => {
  describe.each(redises)("on %s", (_name, start) => {
    let world: ClusterWorld<Awaited<ReturnType<StartRedis>>>;
    let nodes: readonly [TestServer, TestServer, TestServer];

    beforeAll(async () => {
      world = await ClusterWorld.startOn(start);
      nodes = await Promise.all([world.startNode(), world.startNode(), world.startNode()]);
    });

    afterAll(async () => {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    });

    const clientOf = (node: TestServer, userId?: string) =>
      wsClient(node.url, userId === undefined ? {} : { userId });

    /** Sends a run, or attaches to one that was sent; settles with its first token. */
    async function speaking({ api }: StockClient, run: SentRun): Promise<Reading> {
      const reading = read((options) => api.chat.send.subscribe(run, options));
      await reading.until(({ type }) => type === "token");
      return reading;
    }

    describe("a run", () => {
      test("is read on every node, live and afterwards, as on its own", async () => {
        const gate = Promise.withResolvers<void>();
        const run = world.newRun({ steps: ["one ", { until: gate.promise }, "two ", "three"] });
        const clients = nodes.map((node) => clientOf(node));
        const readings = [];
        for (const client of clients) readings.push(await speaking(client, run));
        gate.resolve();
        const received = await Promise.all(readings.map(({ completed }) => completed));
        const late = await read((options) => nodesClient(2).chat.send.subscribe(run, options))
          .completed;
        for (const transcript of [...received, late]) {
          expect(expectWholeRun(transcript).text).toBe("one two three");
          expect(tokensOf(transcript)).toBe("one two three");
        }
        expect(world.callsOf(run.message)).toBe(1);
        for (const client of clients) client[Symbol.dispose]();

        function nodesClient(index: number) {
          const client = clients[index];
          if (client === undefined) throw new Error("no such client");
          return client.api;
        }
      });

      test("is claimed once, sent to all nodes in the same moment", async () => {
        const run = world.newRun({ steps: ["once"] });
        const clients = nodes.map((node) => clientOf(node));
        const received = await Promise.all(
          clients.map(
            ({ api }) => read((options) => api.chat.send.subscribe(run, options)).completed,
          ),
        );
        for (const transcript of received) expect(expectWholeRun(transcript).text).toBe("once");
        expect(world.callsOf(run.message)).toBe(1);
        for (const client of clients) client[Symbol.dispose]();
      });

      test("is cancelled from another node, which closes the provider's connection", async () => {
        const run = world.newRun({ steps: ["partial", "stall"] });
        using owner = clientOf(nodes[0]);
        using other = clientOf(nodes[1]);
        const reading = await speaking(owner, run);
        const call = world.provider.calls.findLast(({ lastText }) => lastText === run.message);
        const cancelled = await other.api.chat.cancel.mutate({ runId: run.runId });
        expect(cancelled.status).toBe("cancelled");
        expect(expectWholeRun(await reading.completed)).toMatchObject({
          status: "cancelled",
          text: "partial",
        });
        expect(await call?.closed).toBe("aborted");
      });

      test("is waited for once by all who cancel it at another node", async () => {
        const run = world.newRun({ steps: ["partial", "stall"] });
        using owner = clientOf(nodes[0]);
        using other = clientOf(nodes[1]);
        await speaking(owner, run);
        const asked = 30;
        const get = vi.spyOn(nodes[1].langwire.store.runs, "get");
        const answers = await Promise.all(
          Array.from({ length: asked }, () => other.api.chat.cancel.mutate({ runId: run.runId })),
        );
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(["cancelled"]));
        // Each looks whose run it is, and whether it has ended; one goes on looking.
        expect(get.mock.calls.length).toBeLessThan(2 * asked + 5);
        get.mockRestore();
      });

      test("is interrupted by the next message, sent to another node", async () => {
        const first = world.newRun({ steps: ["first", "stall"] });
        using owner = clientOf(nodes[0]);
        using other = clientOf(nodes[2]);
        const reading = await speaking(owner, first);
        const refused = world.newRun({ steps: ["refused"] }, first.conversationId);
        await expect(
          read((options) => other.api.chat.send.subscribe(refused, options)).completed,
        ).rejects.toMatchObject({ data: { langwire: { code: "CONVERSATION_BUSY" } } });
        const second = world.newRun({ steps: ["second"] }, first.conversationId);
        const interrupting = { ...second, ifBusy: "interrupt" as const };
        const next = read((options) => other.api.chat.send.subscribe(interrupting, options));
        expect(expectWholeRun(await reading.completed).status).toBe("cancelled");
        expect(expectWholeRun(await next.completed).text).toBe("second");
      });

      test("ends at once, typed, when its node is shut down", async () => {
        const leaving = await world.startNode();
        const run = world.newRun({ steps: ["partial", "stall"] });
        using other = clientOf(nodes[1]);
        using owner = clientOf(leaving);
        await speaking(owner, run);
        const reading = await speaking(other, run);
        await leaving[Symbol.asyncDispose]();
        expect(expectWholeRun(await reading.completed)).toMatchObject({
          status: "failed",
          text: "partial",
          error: { code: "SERVER_RESTARTED" },
        });
      });
    });

    describe("a conversation", () => {
      test("is watched on every node, run after run, and all see the same", async () => {
        const conversationId = randomUUID();
        const clients = nodes.map((node) => clientOf(node));
        const first = world.newRun({ steps: ["a"] }, conversationId);
        const [{ api }] = clients as [ReturnType<typeof clientOf>];
        await read((options) => api.chat.send.subscribe(first, options)).completed;
        const watchers = clients.map((client) =>
          read((options) =>
            client.api.chat.watch.subscribe({ conversationId, lastEventId: "0" }, options),
          ),
        );
        for (const client of clients) {
          const next = world.newRun({ steps: ["b", "c"] }, conversationId);
          await read((options) => client.api.chat.send.subscribe(next, options)).completed;
          for (const watcher of watchers) {
            await watcher.until(({ type, runId }) => type === "runEnd" && runId === next.runId);
          }
        }
        const shown = watchers.map(({ received }) =>
          received.map(({ event }) => event).filter(({ type }) => type !== "token"),
        );
        expect(shown[1]).toEqual(shown[0]);
        expect(shown[2]).toEqual(shown[0]);
        for (const client of clients) client[Symbol.dispose]();
      });

      test("that is deleted ends its run and everybody's reading, on every node", async () => {
        const run = world.newRun({ steps: ["partial", "stall"] });
        using owner = clientOf(nodes[0]);
        using other = clientOf(nodes[1]);
        const reading = await speaking(owner, run);
        const call = world.provider.calls.findLast(({ lastText }) => lastText === run.message);
        using third = clientOf(nodes[2]);
        const watching = read((options) => third.api.chat.watch.subscribe(run, options));
        await watching.until(({ type }) => type === "token");
        await other.api.conversations.delete.mutate({ conversationId: run.conversationId });
        const gone = { data: { langwire: { code: "NOT_FOUND" } } };
        await expect(watching.completed).rejects.toMatchObject(gone);
        await expect(reading.completed).rejects.toMatchObject(gone);
        expect(await call?.closed).toBe("aborted");
      });

      test("that is unshared shuts its guests out, on every node", async () => {
        const run = world.newRun({ steps: ["a", "stall"] });
        using owner = clientOf(nodes[0], "alice");
        using guest = clientOf(nodes[1], "bob");
        const reading = await speaking(owner, run);
        const { conversationId } = run;
        await owner.api.conversations.share.mutate({ conversationId });
        await guest.api.conversations.join.mutate({ conversationId });
        const watching = read((options) => guest.api.chat.watch.subscribe(run, options));
        await watching.until(({ type }) => type === "token");
        using elsewhere = clientOf(nodes[2], "alice");
        await elsewhere.api.conversations.unshare.mutate({ conversationId });
        await expect(watching.completed).rejects.toMatchObject({
          data: { langwire: { code: "NOT_FOUND" } },
        });
        await owner.api.chat.cancel.mutate({ runId: run.runId });
        expect(expectWholeRun(await reading.completed).status).toBe("cancelled");
      });
    });

    describe("a user's limits", () => {
      const userLimits = { maxLiveRuns: 2, maxRunsPerMinute: 1_000 };
      const limited = { data: { langwire: { code: "RATE_LIMITED", retryable: true } } };

      /** Two nodes that share a store and a log of their own. */
      async function startTwo(limits: Partial<typeof userLimits> = {}) {
        const stack = new AsyncDisposableStack();
        const database = stack.use(await world.postgres.createDatabase());
        const prefix = randomUUID();
        const place = { databaseUrl: database.url, redisPrefix: prefix };
        const options = { userLimits: { ...userLimits, ...limits } };
        const one = stack.use(await world.startNode(place, options));
        const two = stack.use(await world.startNode(place, options));
        return { prefix, one, two, [Symbol.asyncDispose]: () => stack.disposeAsync() };
      }

      test("of runs in progress hold on all nodes together, and not for who is gone", async () => {
        await using nodes = await startTwo();
        const { prefix, one, two } = nodes;
        using clientOne = clientOf(one, "alice");
        using clientTwo = clientOf(two, "alice");
        using clientOfBob = clientOf(two, "bob");
        const begin = async (client: StockClient) => {
          const run = world.newRun({ steps: ["partial", "stall"] });
          await speaking(client, run);
          return run;
        };
        const first = await begin(clientOne);
        await begin(clientTwo);
        await expect(begin(clientOne)).rejects.toMatchObject(limited);
        await expect(begin(clientTwo)).rejects.toMatchObject(limited);
        await begin(clientOfBob);
        await clientTwo.api.chat.cancel.mutate({ runId: first.runId });
        await begin(clientTwo);
        // Held by a process that never was, or is gone.
        const slots = `${prefix}:runs-of:carol`;
        const never = String(Date.now() + 600_000);
        await world.redis.command("ZADD", slots, never, "gone a", never, "gone b");
        using clientOfCarol = clientOf(one, "carol");
        await expect
          .poll(() =>
            begin(clientOfCarol).then(
              () => "begun",
              () => "refused",
            ),
          )
          .toBe("begun");
      });

      test("of runs in a minute hold on all nodes together", async () => {
        await using nodes = await startTwo({ maxRunsPerMinute: 3 });
        const { one, two } = nodes;
        using clientOne = clientOf(one, "alice");
        using clientTwo = clientOf(two, "alice");
        const send = ({ api }: StockClient) => {
          const run = world.newRun({ steps: ["answer"] });
          return read((options) => api.chat.send.subscribe(run, options)).completed;
        };
        for (const client of [clientOne, clientTwo, clientOne]) {
          expect(expectWholeRun(await send(client)).text).toBe("answer");
        }
        await expect(send(clientTwo)).rejects.toMatchObject(limited);
        await expect(send(clientOne)).rejects.toMatchObject(limited);
      });
    });

    test("a reader far behind catches up on another node, after cuts in between", async () => {
      const pieces = Array.from({ length: 400 }, (_, index) => `${index} `);
      const run = world.newRun({ steps: pieces });
      using owner = clientOf(nodes[0]);
      const whole = await read((options) => owner.api.chat.send.subscribe(run, options)).completed;
      const proxy = await startTcpProxy({ port: nodes[1].port });
      await using reader = new NetworkReader(proxy, wsClient(`ws://127.0.0.1:${proxy.port}/trpc`));
      const late = reader.send(run, (count) => {
        if (count === 3) proxy.cut();
      });
      await world.judge(nodes[2], run, {
        readers: { whole, late: await late.completed },
        text: pieces.join(""),
      });
    });
  });
});
