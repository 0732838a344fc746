import { describe, expect, test, vi } from "vitest";
import { AppendCalls } from "../../src/log/redis/append-calls.ts";
import { keysOf } from "../../src/log/redis/run-scripts.ts";
import { RedisRunWriter } from "../../src/log/redis/run-writer.ts";
import { pass, withOwnClock } from "../support/own-clock.ts";

const times = {
  ...{ retentionMs: 60_000, maxConversationBytes: 1e6, liveMs: 3_600_000, timeoutMs: 10_000 },
};
const runId = "run";
const fencingToken = "this process";

withOwnClock();

/** Which script it is, by how many keys and arguments it is given. */
type Asked =
  | { readonly what: "open"; readonly after: number; readonly takeOver: boolean }
  | {
      readonly what: "append";
      readonly renews: boolean;
      readonly counted: number;
      readonly events: string[];
    }
  | { readonly what: "close"; readonly counted: number };

class OneRun {
  readonly takesAnyKeys = true;
  isAway = false;
  /** What Redis makes of this process's appends; undefined: it takes them. */
  refusal: "fenced" | "lost" | undefined;
  last = 0;
  readonly asked: Asked[] = [];
  isOurs = vi.fn(async () => true);
  done = 0;
  readonly written: number[] = [];

  isRefusal(_cause: unknown): _cause is Error {
    return false;
  }

  async send<Reply>(_key: string, [, , keys, ...rest]: readonly string[]): Promise<Reply> {
    if (this.isAway) throw new Error("away");
    return this.#carryOut(rest.slice(Number(keys))) as Reply;
  }

  #carryOut(args: readonly string[]): unknown {
    if (args.length === 5) {
      this.asked.push({ what: "close", counted: Number(args[4]) });
      return 1;
    }
    if (args[3] === "0" || args[3] === "1") {
      const takeOver = args[3] === "1";
      this.asked.push({ what: "open", after: Number(args[2]), takeOver });
      if (this.refusal === "fenced" && !takeOver) return ["fenced", this.last];
      this.refusal = undefined;
      return ["opened", this.last];
    }
    const [, , , , before, last, how = "", ...events] = args;
    if (this.refusal !== undefined) return [this.refusal, this.last];
    const [, liveMs = "0", counted = "0"] = how.split(" ");
    this.asked.push({ what: "append", renews: liveMs !== "0", counted: Number(counted), events });
    expect(Number(before)).toBeLessThanOrEqual(this.last);
    this.last = Number(last);
    return ["ok", this.last];
  }

  of<What extends Asked["what"]>(what: What) {
    return this.asked.filter((it): it is Extract<Asked, { what: What }> => it.what === what);
  }

  async open(takeOver = false): Promise<RedisRunWriter> {
    const writer = await RedisRunWriter.open({
      ...{ link: this, calls: new AppendCalls(this, fencingToken), keys: keysOf("test", "c") },
      ...{ runId, after: 0, times, fencingToken, takeOver },
      isOurs: this.isOurs,
      onWritten: (entries) => void this.written.push(...entries.map(({ seq }) => seq)),
      onDone: () => {
        this.done += 1;
      },
    });
    this.asked.length = 0;
    return writer;
  }
}

const say = (writer: RedisRunWriter, text = "x") =>
  writer.append({ type: "custom", runId, spanId: "s", name: text });
const settles = (promise: Promise<unknown>) => {
  const state = { settled: false };
  void promise.then(() => Object.assign(state, { settled: true }));
  return state;
};

describe("without an answer", () => {
  test("for less than the limit nothing is lost, and the next time counts from its own beginning", async () => {
    const redis = new OneRun();
    const writer = await redis.open();
    for (let times_ = 0; times_ < 3; times_++) {
      redis.isAway = true;
      say(writer);
      const flushed = settles(writer.flushed());
      await pass(times.timeoutMs - 1_000, 100);
      expect([writer.healthy, writer.lost.aborted, flushed.settled]).toEqual([false, false, false]);
      redis.isAway = false;
      await pass(1_000, 100);
      expect([writer.healthy, writer.lost.aborted, flushed.settled]).toEqual([true, false, true]);
    }
    expect(redis.last).toBe(3);
  });

  test("for longer it is lost, nobody waits for it, and what it has comes when Redis is back", async () => {
    const redis = new OneRun();
    const writer = await redis.open();
    redis.isAway = true;
    say(writer);
    const waiting = settles(writer.flushed());
    await pass(times.timeoutMs + 1_000, 100);
    expect(writer.lost.reason).toMatchObject({ code: "STORE_UNAVAILABLE" });
    const asking = settles(writer.flushed());
    await pass(0, 100);
    expect([waiting.settled, asking.settled, redis.done]).toEqual([true, true, 0]);
    // The run's end, which goes on being offered however long it takes.
    say(writer);
    await pass(times.timeoutMs + times.retentionMs + 1_000, 100);
    expect(redis.done).toBe(0);
    redis.isAway = false;
    await pass(1_000, 100);
    expect([redis.last, writer.healthy]).toEqual([2, true]);
    writer.close();
    await pass(100, 100);
    expect([redis.of("close").length, redis.done]).toEqual([1, 1]);
  });

  test("for as long as its readers could have had it, one that is over is given up", async () => {
    const redis = new OneRun();
    const writer = await redis.open();
    redis.isAway = true;
    say(writer);
    writer.close();
    await pass(times.timeoutMs + times.retentionMs - 1_000, 100);
    expect(redis.done).toBe(0);
    await pass(3_000, 100);
    expect([redis.done, vi.getTimerCount()]).toEqual([1, 0]);
    redis.isAway = false;
    await pass(3_000, 100);
    expect(redis.asked).toEqual([]);
  });
});

test("each event's bytes are counted once, in some appends and with the end", async () => {
  const redis = new OneRun();
  const writer = await redis.open();
  for (let count = 0; count < 40; count++) {
    say(writer, "x".repeat(10_000));
    await writer.flushed();
  }
  writer.close();
  await pass(100, 100);
  const appends = redis.of("append");
  const inAppends = appends.reduce((sum, { counted }) => sum + counted, 0);
  const bytes = writer.entries().reduce((sum, { jsonBytes }) => sum + jsonBytes, 0);
  expect(inAppends + (redis.of("close")[0]?.counted ?? 0)).toBe(bytes);
  // Not with each of them.
  expect(appends.filter(({ counted }) => counted > 0).length).toBeLessThan(10);
  expect(inAppends).toBeGreaterThan(bytes / 2);
});

test("its keys live on for as long as it says something, renewed now and then", async () => {
  const redis = new OneRun();
  const writer = await redis.open();
  const sayEach = async (ms: number, count: number) => {
    redis.asked.length = 0;
    for (let said = 0; said < count; said++) {
      say(writer);
      await writer.flushed();
      vi.advanceTimersByTime(ms);
    }
    return redis.of("append").map(({ renews }) => renews);
  };
  vi.advanceTimersByTime(1);
  expect(await sayEach(times.liveMs / 2, 4)).toEqual([true, true, true, true]);
  expect(await sayEach(times.liveMs / 8, 7)).toEqual([
    true,
    false,
    false,
    true,
    false,
    false,
    true,
  ]);
});

test("one that is closed is given back when Redis has its last event, and not before", async () => {
  const redis = new OneRun();
  const writer = await redis.open();
  redis.isAway = true;
  say(writer);
  writer.close();
  await pass(1_000, 100);
  redis.isAway = false;
  await pass(1_000, 100);
  expect(redis.asked.map(({ what }) => what)).toEqual(["append", "close"]);
  expect([redis.written, redis.done]).toEqual([[1], 1]);
});

describe("whom Redis does not take for its writer", () => {
  const takenBackAfterMs = times.timeoutMs / 2;

  test("asks the store, and takes a run back that nobody has ended for a while, each time anew", async () => {
    const redis = new OneRun();
    const writer = await redis.open();
    for (let times_ = 1; times_ <= 2; times_++) {
      redis.refusal = "fenced";
      say(writer);
      await pass(takenBackAfterMs - 1_000, 100);
      expect(redis.of("open").filter(({ takeOver }) => takeOver)).toHaveLength(times_ - 1);
      await pass(2_000, 100);
      expect(redis.of("open").filter(({ takeOver }) => takeOver)).toHaveLength(times_);
      expect([redis.last, writer.lost.aborted]).toEqual([times_, false]);
    }
    // From where the run began: what Redis lost of it is sent again.
    expect(new Set(redis.of("open").map(({ after }) => after))).toEqual(new Set([0]));
  });

  test("and has taken it over itself, has lost it to whoever came later, and asks nobody", async () => {
    const redis = new OneRun();
    const writer = await redis.open(true);
    redis.refusal = "lost";
    say(writer);
    await pass(1_000, 100);
    expect([redis.last, writer.lost.aborted]).toEqual([1, false]);
    redis.refusal = "fenced";
    say(writer);
    await pass(1_000, 100);
    expect(writer.lost.reason).toMatchObject({ code: "OWNER_LOST" });
    expect([redis.isOurs.mock.calls.length, redis.done]).toEqual([0, 1]);
  });

  test("finds that out when it is told to look, with nothing to append", async () => {
    const redis = new OneRun();
    const writer = await redis.open();
    redis.refusal = "fenced";
    redis.isOurs.mockResolvedValue(false);
    await pass(1_000, 100);
    expect(writer.lost.aborted).toBe(false);
    writer.check();
    await pass(1_000, 100);
    expect([writer.lost.reason.code, redis.done]).toEqual(["OWNER_LOST", 1]);
  });

  test("looks once, where it is still the writer", async () => {
    const redis = new OneRun();
    const writer = await redis.open();
    writer.check();
    await pass(5_000, 100);
    expect(redis.of("append")).toHaveLength(1);
    expect([writer.healthy, redis.done]).toEqual([true, 0]);
  });
});
