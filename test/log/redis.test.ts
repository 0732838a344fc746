import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { TestRedisLog, type TestRedisLogOptions } from "../support/redis-log.ts";
import { describeLog } from "./log-contract.ts";

needsRedis("redis", () => {
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(() => redis[Symbol.asyncDispose]());

  const open = (options: Partial<TestRedisLogOptions> = {}) =>
    TestRedisLog.open({ url: redis.url, nodeId: randomUUID(), ...options });

  describeLog("redis", (bounds) => open({ bounds, times: { checkMs: 20 } }));

  describe("redis: between processes", () => {
    /** Two processes' logs, of which the second only reads. */
    async function twoLogs(options: Partial<TestRedisLogOptions> = {}) {
      const stack = new AsyncDisposableStack();
      const writing = stack.use(await open(options));
      const reading = stack.use(await open(options));
      return { writing, reading, [Symbol.asyncDispose]: () => stack.disposeAsync() };
    }

    /** Those that say when a conversation is looked at without a notification. */
    const checkTimers = ["setInterval", "clearInterval", "performance"] as const;

    afterEach(() => void vi.useRealTimers());

    const custom = (runId: string, name: string): ChatEvent => {
      return { type: "custom", runId, spanId: "span", name };
    };

    async function namesIn(log: TestRedisLog, conversationId: string): Promise<string[]> {
      const names: string[] = [];
      for (let after = 0; ; ) {
        const { entries } = await log.read(conversationId, after);
        for (const { event } of entries) if (event.type === "custom") names.push(event.name);
        const last = entries.at(-1);
        if (last === undefined) return names;
        after = last.seq;
      }
    }

    test("what one process has stored, the others read, and are woken for", async () => {
      await using logs = await twoLogs();
      const conversationId = randomUUID();
      const runId = randomUUID();
      let woken = 0;
      const unsubscribe = await logs.reading.subscribe(conversationId, () => {
        woken += 1;
      });
      const writer = await logs.writing.open({ conversationId, runId, after: 0 });
      for (const name of ["a", "b", "c"]) {
        const before = woken;
        writer.append(custom(runId, name));
        await expect.poll(() => woken).toBeGreaterThan(before);
      }
      expect(await namesIn(logs.reading, conversationId)).toEqual(["a", "b", "c"]);
      unsubscribe();
    });

    /** Adds to a stream what a writer would, without a notification: custom events named "silent". */
    async function addSilently(conversationId: string, { from, to }: { from: number; to: number }) {
      const key = `langwire:{${conversationId}}:events`;
      const event = JSON.stringify(custom(randomUUID(), "silent"));
      const add =
        "for i = ARGV[1], ARGV[2] do redis.call('XADD', KEYS[1], i .. '-0', 'e', ARGV[3]) end";
      await redis.command("EVAL", add, "1", key, String(from), String(to), event);
    }

    test("what comes between a reader's two questions is read, and no gap", async () => {
      await using logs = await twoLogs();
      const conversationId = randomUUID();
      const { link } = logs.reading.redis;
      const send = link.send.bind(link);
      using asking = vi.spyOn(link, "send");
      asking.mockImplementationOnce(async (...question) => {
        const answer = await send(...question);
        await addSilently(conversationId, { from: 1, to: 3 });
        return answer;
      });
      const { entries, oldest } = await logs.reading.readStored(conversationId, 0);
      expect({ seqs: entries.map(({ seq }) => seq), oldest }).toEqual({
        seqs: [1, 2, 3],
        oldest: 1,
      });
    });

    test("a notification that is lost makes readers late by one check at most, whenever it is", async () => {
      const checkMs = 1_000;
      vi.useFakeTimers({ toFake: [...checkTimers] });
      await using logs = await twoLogs({ times: { checkMs } });
      for (const phase of [0, 0.2, 0.2, 0.2, 0.2]) {
        vi.advanceTimersByTime(phase * checkMs);
        let onChange = () => {};
        const changed = () => new Promise<void>((resolve) => (onChange = resolve));
        const conversationId = randomUUID();
        const unsubscribe = await logs.reading.subscribe(conversationId, () => onChange());
        const writer = await logs.writing.open({ conversationId, runId: randomUUID(), after: 0 });
        const notified = changed();
        writer.append(custom(randomUUID(), "notified"));
        await notified;
        const found = changed();
        await addSilently(conversationId, { from: 2, to: 2 });
        // The clock stands still from here on: nothing later can find it.
        vi.advanceTimersByTime(1.25 * checkMs);
        await found;
        expect(await namesIn(logs.reading, conversationId)).toEqual(["notified", "silent"]);
        unsubscribe();
      }
    });

    test("one check finds everything without a notification, however much it is", async () => {
      const checkMs = 500;
      vi.useFakeTimers({ toFake: [...checkTimers] });
      await using logs = await twoLogs({ times: { checkMs } });
      const conversationId = randomUUID();
      const writer = await logs.writing.open({ conversationId, runId: randomUUID(), after: 0 });
      writer.append(custom(randomUUID(), "notified"));
      await writer.flushed();
      const unsubscribe = await logs.reading.subscribe(conversationId, () => {});
      await addSilently(conversationId, { from: 2, to: 1_001 });
      // One check: the clock stands still from here on.
      vi.advanceTimersByTime(1.25 * checkMs);
      const last = () => {
        const slice = logs.reading.read(conversationId, 1_000);
        return slice instanceof Promise ? "not read from Redis yet" : slice.entries.length;
      };
      await expect.poll(last).toBe(1);
      expect(await namesIn(logs.reading, conversationId)).toHaveLength(1_001);
      unsubscribe();
    });

    test("what was not notified while the subscription was broken is read when it is back", async () => {
      await using logs = await twoLogs({ times: { checkMs: 600_000 } });
      const conversationId = randomUUID();
      const found = Promise.withResolvers<void>();
      const unsubscribe = await logs.reading.subscribe(conversationId, found.resolve);
      await addSilently(conversationId, { from: 1, to: 1 });
      const before = logs.reading.interruptions;
      await redis.command("CLIENT", "KILL", "TYPE", "pubsub");
      await found.promise;
      expect(await namesIn(logs.reading, conversationId)).toEqual(["silent"]);
      expect(logs.reading.interruptions).toBe(before + 1);
      // What comes from then on is notified as before.
      const notified = Promise.withResolvers<void>();
      const unsubscribeToo = await logs.reading.subscribe(conversationId, notified.resolve);
      const runId = randomUUID();
      const writer = await logs.writing.open({ conversationId, runId, after: 1 });
      writer.append(custom(runId, "notified"));
      await notified.promise;
      expect(await namesIn(logs.reading, conversationId)).toEqual(["silent", "notified"]);
      unsubscribeToo();
      unsubscribe();
    });

    test("a thousand readers of one conversation cost one read a notification", async () => {
      await using logs = await twoLogs({ times: { checkMs: 60_000 } });
      const conversationId = randomUUID();
      const runId = randomUUID();
      const writer = await logs.writing.open({ conversationId, runId, after: 0 });
      const readers = Array.from({ length: 1_000 }, () => ({ seen: 0, leave: () => {} }));
      for (const reader of readers) {
        reader.leave = await logs.reading.subscribe(conversationId, () => {
          const slice = logs.reading.read(conversationId, reader.seen);
          if (slice instanceof Promise) throw new Error("it was read from Redis");
          reader.seen += slice.entries.length;
        });
      }
      const reads = async () => {
        const stats = await redis.command<string>("INFO", "commandstats");
        return Number(/cmdstat_xrange:calls=(\d+)/.exec(stats)?.[1] ?? 0);
      };
      const before = await reads();
      for (let count = 1; count <= 50; count++) {
        writer.append(custom(runId, String(count)));
        await expect.poll(() => readers.every(({ seen }) => seen === count)).toBe(true);
      }
      expect((await reads()) - before).toBeLessThanOrEqual(50);
      for (const { leave } of readers) leave();
    });

    test("a reader far behind reads from Redis, and one who comes anew misses nothing", async () => {
      await using logs = await twoLogs();
      const conversationId = randomUUID();
      const runId = randomUUID();
      const unsubscribe = await logs.reading.subscribe(conversationId, () => {});
      const writer = await logs.writing.open({ conversationId, runId, after: 0 });
      const names = Array.from({ length: 4_000 }, (_, index) => String(index));
      for (const name of names) writer.append(custom(runId, name));
      await writer.flushed();
      expect(await namesIn(logs.reading, conversationId)).toEqual(names);
      unsubscribe();
      const again = await logs.reading.subscribe(conversationId, () => {});
      writer.append(custom(runId, "last"));
      const all = [...names, "last"];
      await expect.poll(() => namesIn(logs.reading, conversationId)).toEqual(all);
      again();
    });
  });

  describe("redis: bounds", () => {
    beforeEach(() => redis.command("FLUSHALL"));

    async function finishedRun(log: TestRedisLog, conversationId: string, after: number) {
      const runId = randomUUID();
      const writer = await log.open({ conversationId, runId, after });
      writer.append({ type: "custom", runId, spanId: "span", name: "x".repeat(1_000) });
      await writer.flushed();
      writer.close();
      return writer.lastSeq;
    }

    test("everything of finished runs leaves Redis after the retention time", async () => {
      const log = await open({ bounds: { retentionMs: 200 } });
      await Promise.all(Array.from({ length: 200 }, () => finishedRun(log, randomUUID(), 0)));
      expect(await redis.command<number>("DBSIZE")).toBeGreaterThan(200);
      await expect.poll(() => redis.command("DBSIZE")).toBe(0);
      await log[Symbol.asyncDispose]();
    });

    test("a conversation that is never quiet keeps what was said lately", async () => {
      await using log = await open({ times: { maxConversationBytes: 5_000 } });
      const conversationId = randomUUID();
      let last = 0;
      for (let runs = 0; runs < 20; runs++) last = await finishedRun(log, conversationId, last);
      const key = `langwire:{${conversationId}}:events`;
      const length = () => redis.command<number>("XLEN", key);
      await expect.poll(length).toBeLessThanOrEqual(5);
      expect(await length()).toBeGreaterThan(2);
      const { oldest } = await log.read(conversationId, 0);
      expect(oldest).toBeGreaterThan(last - 6);
    });
  });
});
