/**
 * What many runs append in one turn of the loop goes to Redis as one call, and each is answered for
 * itself.
 */
import { randomUUID } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { ErrorReply } from "redis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { AppendCalls } from "../../src/log/redis/append-calls.ts";
import { keysOf } from "../../src/log/redis/run-scripts.ts";
import type { RedisRunWriter } from "../../src/log/redis/run-writer.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import type { RedisLink } from "../../src/redis/redis-link.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { TestRedisLog } from "../support/redis-log.ts";
import { startSizeLimitedRedis } from "../support/size-limited-redis.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { nodesBefore } from "./redis-nodes-before.ts";

interface OpenedRun {
  readonly conversationId: string;
  readonly runId: string;
  readonly writer: RedisRunWriter;
}

const said = (runId: string, name: string): ChatEvent => {
  return { type: "custom", runId, spanId: "span", name };
};

/** Time goes by when the test says so. */
function fakeClock(): Disposable {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  return { [Symbol.dispose]: () => vi.useRealTimers() };
}

needsRedis("redis: appends of many runs", () => {
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(() => redis[Symbol.asyncDispose]());

  const open = (options: { url?: string; nodeId?: string } = {}) =>
    TestRedisLog.open({ url: redis.url, nodeId: randomUUID(), ...options });

  function openRuns(log: TestRedisLog, count: number): Promise<OpenedRun[]> {
    const opened = Array.from({ length: count }, async () => {
      const [conversationId, runId] = [randomUUID(), randomUUID()];
      const writer = await log.open({ conversationId, runId, after: 0 });
      return { conversationId, runId, writer };
    });
    return Promise.all(opened);
  }

  /** What Redis has of a conversation, each event with its number. */
  async function storedOf(log: TestRedisLog, { conversationId, runId }: OpenedRun) {
    const stored: string[] = [];
    for (let after = 0; ; ) {
      const { entries } = await log.readStored(conversationId, after);
      for (const { seq, event } of entries) {
        expect(event.runId).toBe(runId);
        stored.push(`${seq} ${event.type === "custom" ? event.name : event.type}`);
        after = seq;
      }
      if (entries.length === 0) return stored;
    }
  }

  /** Scripts that a log's process sends while something goes on. */
  async function scriptsSent({ link }: { link: RedisLink }, what: () => Promise<unknown>) {
    using sent = vi.spyOn(link, "send");
    await what();
    return sent.mock.calls.filter(([, [name = ""]]) => name.startsWith("EVAL")).length;
  }

  test("fifty in one turn are one call, and each conversation has its own events", async () => {
    await using log = await open();
    const runs = await openRuns(log, 50);
    const turns = 20;
    const calls = await scriptsSent(log.redis, async () => {
      for (let index = 1; index <= turns; index++) {
        for (const { runId, writer } of runs) writer.append(said(runId, `${runId} ${index}`));
        await Promise.all(runs.map(({ writer }) => writer.flushed()));
      }
    });
    // The first of a process may have to give Redis the script.
    expect(calls).toBeLessThanOrEqual(turns + 1);
    for (const run of runs) {
      const whole = Array.from({ length: turns }, (_, at) => `${at + 1} ${run.runId} ${at + 1}`);
      expect(await storedOf(log, run)).toEqual(whole);
    }
  });

  test("a call without an answer keeps the other runs waiting for nothing", async () => {
    await using log = await open();
    const [stuck, ...others] = await openRuns(log, 5);
    if (!stuck) throw new Error("there are five");
    const { link } = log.redis;
    const send = link.send.bind(link);
    const answered = Promise.withResolvers<void>();
    using sent = vi.spyOn(link, "send");
    sent.mockImplementationOnce(async (...call) => {
      await answered.promise;
      return await send(...call);
    });
    stuck.writer.append(said(stuck.runId, "first"));
    await turn();
    for (const { runId, writer } of others) writer.append(said(runId, "meanwhile"));
    await Promise.all(others.map(({ writer }) => writer.flushed()));
    for (const run of others) expect(await storedOf(log, run)).toEqual(["1 meanwhile"]);
    stuck.writer.append(said(stuck.runId, "second"));
    answered.resolve();
    await stuck.writer.flushed();
    expect(await storedOf(log, stuck)).toEqual(["1 first", "2 second"]);
  });

  test("one that is refused, and one that fails, leave the others alone and get their own answers", async () => {
    await using log = await open();
    await using other = await open();
    const runs = await openRuns(log, 7);
    for (const { runId, writer } of runs) writer.append(said(runId, "before"));
    await Promise.all(runs.map(({ writer }) => writer.flushed()));
    const [, fenced, , lost, , broken] = runs;
    if (!fenced || !lost || !broken) throw new Error("there are seven");
    await other.open({ ...fenced, after: 0, takeOver: true });
    const keys = (run: OpenedRun) => keysOf("langwire", run.conversationId);
    await redis.command("DEL", keys(lost).events, keys(lost).lease);
    await redis.command("RENAME", keys(broken).events, "elsewhere");
    await redis.command("SET", keys(broken).events, "not a stream");

    const well = runs.filter((run) => ![fenced, lost, broken].includes(run));
    using sent = vi.spyOn(log.redis.link, "send");
    for (const { runId, writer } of runs) writer.append(said(runId, "after"));
    await Promise.all(well.map(({ writer }) => writer.flushed()));
    for (const run of well) {
      expect(await storedOf(log, run)).toEqual(["1 before", "2 after"]);
      expect(run.writer).toMatchObject({ healthy: true, lost: { aborted: false } });
    }
    const refused = sent.mock.settledResults.filter(({ type }) => type === "rejected");
    expect(refused, "calls that failed as a whole").toEqual([]);
    await expect.poll(() => fenced.writer.lost.aborted).toBe(true);
    expect(fenced.writer.lost.reason).toMatchObject({ code: "OWNER_LOST" });
    expect(await storedOf(log, fenced)).toEqual(["1 before"]);
    await lost.writer.flushed();
    expect(await storedOf(log, lost)).toEqual(["1 before", "2 after"]);
    await expect.poll(() => broken.writer.healthy).toBe(false);
    expect(broken.writer.lost.aborted).toBe(false);

    await redis.command("RENAME", "elsewhere", keys(broken).events);
    await broken.writer.flushed();
    expect(await storedOf(log, broken)).toEqual(["1 before", "2 after"]);
    expect(broken.writer.healthy).toBe(true);
  });

  test("an answer that is lost is asked for again, and no event is in twice", async () => {
    await using proxy = await startTcpProxy({ port: redis.port });
    await using log = await open({ url: `redis://127.0.0.1:${proxy.port}` });
    await using steady = await open();
    const runs = await openRuns(log, 10);
    const say = (round: number) => {
      for (const { runId, writer } of runs) writer.append(said(runId, `${runId} ${round}`));
    };
    // A Redis that does not know the script yet would say so, and be sent it: nothing of that is to be lost.
    say(1);
    await Promise.all(runs.map(({ writer }) => writer.flushed()));
    for (const round of [2, 3]) {
      proxy.pause("toClient");
      say(round);
      // Redis has them all, and nobody here knows.
      for (const run of runs) {
        await expect.poll(async () => (await storedOf(steady, run)).length).toBe(round);
      }
      proxy.cut();
      proxy.resume();
      await Promise.all(runs.map(({ writer }) => writer.flushed()));
      // A repeated append that is refused is tried again until the writer gives up, and says that all is settled.
      expect(runs.every(({ writer }) => writer.healthy && !writer.lost.aborted)).toBe(true);
    }
    for (const run of runs) {
      const whole = [1, 2, 3].map((round) => `${round} ${run.runId} ${round}`);
      expect(await storedOf(steady, run)).toEqual(whole);
    }
  });

  test("a proxy that takes keys of one slot alone is sent each by itself from then on", async () => {
    await using log = await open();
    const runs = await openRuns(log, 10);
    const { link } = log.redis;
    const send = link.send.bind(link);
    const keyCounts: number[] = [];
    using sent = vi.spyOn(link, "send");
    sent.mockImplementation((key, command) => {
      if (command[0]?.startsWith("EVAL") === true) keyCounts.push(Number(command[2]));
      return Number(command[2]) > 3
        ? Promise.reject(new ErrorReply("CROSSSLOT Keys in request don't hash to the same slot"))
        : send(key, command);
    });
    for (const round of ["1", "2"]) {
      for (const { runId, writer } of runs) writer.append(said(runId, round));
      await Promise.all(runs.map(({ writer }) => writer.flushed()));
    }
    expect(keyCounts.filter((count) => count > 3)).toHaveLength(1);
    for (const run of runs) expect(await storedOf(log, run)).toEqual(["1 1", "2 2"]);
  });

  test("many events of many runs are several calls, so that Redis is not held by one", async () => {
    await using log = await open();
    const runs = await openRuns(log, 8);
    using sent = vi.spyOn(log.redis.link, "send");
    const names = Array.from({ length: 200 }, (_, index) => String(index));
    for (const { runId, writer } of runs)
      for (const name of names) writer.append(said(runId, name));
    await Promise.all(runs.map(({ writer }) => writer.flushed()));
    for (const [, command] of sent.mock.calls) expect(command.length).toBeLessThan(700);
    for (const run of runs) {
      expect(await storedOf(log, run)).toEqual(names.map((name, at) => `${at + 1} ${name}`));
    }
  });

  test("a call of more than a MiB is several, and so are the events of one run", async () => {
    await using log = await open();
    const runs = await openRuns(log, 4);
    using sent = vi.spyOn(log.redis.link, "send");
    const kibibytes = (count: number) => "x".repeat(count * 1024);
    for (const { runId, writer } of runs) {
      for (let count = 0; count < 8; count++) writer.append(said(runId, kibibytes(200)));
    }
    await Promise.all(runs.map(({ writer }) => writer.flushed()));
    for (const [, command] of sent.mock.calls) {
      expect(command.join("").length).toBeLessThan(1.2 * 1024 * 1024);
    }
    for (const run of runs) expect(await storedOf(log, run)).toHaveLength(8);
  });

  describe("before a Redis that takes no command above a size", () => {
    test("only the run fails whose events are refused by themselves, and the others' calls are refused once", async () => {
      await using limited = await startSizeLimitedRedis({ port: redis.port, maxBytes: 16 * 1024 });
      await using log = await open({ url: limited.url });
      const [large, ...others] = await openRuns(log, 10);
      if (!large) throw new Error("there are ten");
      const { link } = log.redis;
      const send = link.send.bind(link);
      const refusedKeys: number[] = [];
      let refusedBeside = 0;
      using sent = vi.spyOn(link, "send");
      sent.mockImplementation((key, command) => {
        for (const { writer } of others) if (!writer.healthy) refusedBeside += 1;
        const sending = send<unknown>(key, command);
        sending.catch(() => refusedKeys.push(Number(command[2])));
        return sending as never;
      });
      const rounds: string[] = [];
      const everyone = (name: string) => {
        rounds.push(name);
        for (const { runId, writer } of others) writer.append(said(runId, name));
        return Promise.all(others.map(({ writer }) => writer.flushed()));
      };
      await everyone("before");
      refusedKeys.length = 0;
      const text = "x".repeat(20 * 1024);
      large.writer.append(said(large.runId, text));
      large.writer.append(said(large.runId, "behind it"));
      while (refusedKeys.length < 5) await everyone(String(rounds.length));
      expect(refusedBeside, "runs beside it that were refused").toBe(0);
      expect(refusedKeys.slice(0, 5)).toEqual([30, 3, 3, 3, 3]);
      expect(large.writer.healthy).toBe(false);
      const whole = rounds.map((name, at) => `${at + 1} ${name}`);
      for (const run of others) expect(await storedOf(log, run)).toEqual(whole);

      limited.maxBytes = Number.POSITIVE_INFINITY;
      await large.writer.flushed();
      expect(await storedOf(log, large)).toEqual([`1 ${text}`, "2 behind it"]);
    });

    test("events that are too much together arrive some at a time, in order", async () => {
      await using limited = await startSizeLimitedRedis({ port: redis.port, maxBytes: 64 * 1024 });
      await using log = await open({ url: limited.url });
      const [run] = await openRuns(log, 1);
      if (!run) throw new Error("there is one");
      const names = Array.from({ length: 40 }, (_, at) => `${at}`.padEnd(4 * 1024));
      for (const name of names) run.writer.append(said(run.runId, name));
      await run.writer.flushed();
      expect(run.writer.lost.aborted).toBe(false);
      expect(await storedOf(log, run)).toEqual(names.map((name, at) => `${at + 1} ${name}`));
    });
  });

  test("a writer that gave up before the call was made sends nothing", async () => {
    await using log = await open();
    const [run, beside] = await openRuns(log, 2);
    if (!run || !beside) throw new Error("there are two");
    run.writer.append(said(run.runId, "never"));
    beside.writer.append(said(beside.runId, "stays"));
    run.writer.abandon();
    await beside.writer.flushed();
    expect(await storedOf(log, run)).toEqual([]);
    expect(await storedOf(log, beside)).toEqual(["1 stays"]);
  });

  describe("beside nodes of a version before", () => {
    test("a run goes from one to the other and back, whole, and each hears the other", async () => {
      await using log = await open();
      await using old = await nodesBefore(redis.url);
      const [run] = await openRuns(log, 1);
      if (!run) throw new Error("there is one");
      const { conversationId, runId, writer } = run;
      const heard = await old.listen(conversationId);
      writer.append(said(runId, "new"));
      await writer.flushed();
      writer.append(said(runId, "two"));
      writer.append(said(runId, "three"));
      await writer.flushed();
      const [one, two, three] = ["new", "two", "three"].map((name) =>
        JSON.stringify(said(runId, name)),
      );
      await expect.poll(() => heard).toEqual([`1\n${one}`, `3\n${two}\n${three}`]);

      const unsubscribe = await log.subscribe(conversationId, () => {});
      expect(await old.takeOver(conversationId, runId)).toEqual(["opened", 3]);
      expect(await old.append(conversationId, runId, { firstSeq: 4, names: ["old"] })).toEqual([
        "ok",
        4,
      ]);
      // Long before the next check.
      await expect
        .poll(() => log.read(conversationId, 3), { interval: 5 })
        .toMatchObject({ entries: [{ seq: 4 }] });
      unsubscribe();
      writer.append(said(runId, "too late"));
      await expect.poll(() => writer.lost.aborted).toBe(true);

      const again = await log.open({ conversationId, runId, after: 0, takeOver: true });
      again.append(said(runId, "new again"));
      await again.flushed();
      expect(await old.append(conversationId, runId, { firstSeq: 5, names: ["x"] })).toEqual([
        "fenced",
        5,
      ]);
      const whole = ["1 new", "2 two", "3 three", "4 old", "5 new again"];
      expect(await storedOf(log, run)).toEqual(whole);
      again.close();
      const bytes = () => redis.command("HGET", keysOf("langwire", conversationId).lease, "bytes");
      const closed = () =>
        redis.command("LRANGE", keysOf("langwire", conversationId).ended, "0", "-1");
      await expect.poll(closed).toEqual([expect.stringMatching(/^5 \d+ \d+$/)]);
      const [ended = ""] = await redis.command<string[]>(
        "LRANGE",
        keysOf("langwire", conversationId).ended,
        "0",
        "-1",
      );
      expect(ended.split(" ")[2]).toBe(await bytes());
    });
  });

  describe("where many speak", () => {
    const text = ({ runId }: OpenedRun): ChatEvent => {
      return { type: "token", runId, spanId: "span", text: "a" };
    };

    /** Two runs of a process that appends once in so many milliseconds; no time goes by but by `advance`. */
    async function speaking(everyMs: number) {
      const log = await open();
      const [run, beside] = await openRuns(log, 2);
      if (!run || !beside) throw new Error("there are two");
      const clock = fakeClock();
      const { writer, runId } = run;
      for (let count = 0; count < 200; count++) {
        vi.advanceTimersByTime(everyMs);
        writer.append(said(runId, "spoken"));
        await writer.flushed();
      }
      writer.append(text(run));
      await writer.flushed();
      const sent = vi.spyOn(log.redis.link, "send");
      return {
        ...{ log, run, beside, sent },
        async [Symbol.asyncDispose]() {
          sent.mockRestore();
          clock[Symbol.dispose]();
          await log[Symbol.asyncDispose]();
        },
      };
    }

    test("a text that goes on waits 4 ms at most for others, and all else, its beginning too, for nothing", async () => {
      await using s = await speaking(1.5);
      const { run, beside, sent } = s;
      run.writer.append(text(run));
      for (let turns = 0; turns < 10; turns++) await turn();
      expect(sent).toHaveBeenCalledTimes(0);
      vi.advanceTimersByTime(4);
      await run.writer.flushed();
      expect(sent).toHaveBeenCalledTimes(1);

      run.writer.append(text(run));
      beside.writer.append(text(beside));
      await Promise.all([run.writer.flushed(), beside.writer.flushed()]);
      expect(sent).toHaveBeenCalledTimes(2);
      expect((await storedOf(s.log, run)).length).toBe(203);
    });

    test("and where a token comes every three milliseconds, nothing waits", async () => {
      await using s = await speaking(3);
      const { run, sent } = s;
      for (let count = 1; count <= 10; count++) {
        vi.advanceTimersByTime(3);
        run.writer.append(text(run));
        await run.writer.flushed();
        expect(sent).toHaveBeenCalledTimes(count);
      }
    });
  });

  test("a call that nobody can make any more is refused to each who waits", async () => {
    const cause = new Error("gone");
    const calls = new AppendCalls(
      {
        takesAnyKeys: true,
        send: () => Promise.reject(cause),
        isRefusal: (_): _ is Error => false,
      },
      "node",
    );
    const append = (conversationId: string) => ({
      ...{ keys: keysOf("test", conversationId), runId: "run" },
      ...{ liveMs: 0, firstSeq: 1, countedBytes: 0, entries: [] },
      ...{ bytes: 0, alone: false },
    });
    const results = await Promise.allSettled(["a", "b"].map((id) => calls.send(() => append(id))));
    expect(results).toEqual([
      { status: "rejected", reason: cause },
      { status: "rejected", reason: cause },
    ]);
  });
});
