import { expect, onTestFinished, test, vi } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { Mirror } from "../../src/log/redis/mirror.ts";
import { Mirrors } from "../../src/log/redis/mirrors.ts";
import { keysOf } from "../../src/log/redis/run-scripts.ts";
import type { RedisCommands } from "../../src/redis/connection.ts";
import type { Redis } from "../../src/redis/redis.ts";

/** A Redis with one stream, whose answers come when the test says so. */
function slowRedis() {
  const stream: [string, [string, string]][] = [];
  const answers: (() => void)[] = [];
  const send = (_key: string, [name, , start = ""]: readonly string[]) => {
    const from = Number.parseInt(start, 10);
    const found =
      name === "XRANGE"
        ? stream.filter(([id]) => Number.parseInt(id, 10) >= from)
        : stream.slice().reverse();
    return new Promise((resolve) => answers.push(() => resolve(found)));
  };
  return {
    link: { send } as RedisCommands,
    add(seq: number) {
      const event = { type: "custom", runId: "run", spanId: "span", name: String(seq) };
      stream.push([`${seq}-0`, ["e", JSON.stringify(event)]]);
    },
    /** Answers the oldest question, and waits until the answer was read. */
    async answer() {
      answers.shift()?.();
      await new Promise(setImmediate);
    },
    get asked() {
      return answers.length;
    },
  };
}

test("a notification in the middle of a read that came too early for it is read for", async () => {
  const redis = slowRedis();
  const mirror = new Mirror(redis.link, keysOf("test", "conversation"));
  redis.add(1);
  const loaded = mirror.load();
  await redis.answer();
  await loaded;
  mirror.check(0);
  expect(redis.asked).toBe(1);
  redis.add(2);
  // As for an event that is too large for its notification.
  mirror.receive("2");
  await redis.answer();
  await redis.answer();
  expect(mirror.read(1)).toMatchObject({ entries: [{ seq: 2 }] });
  expect(redis.asked).toBe(0);
});

test("a notification of what is not there costs one read", async () => {
  const redis = slowRedis();
  const mirror = new Mirror(redis.link, keysOf("test", "conversation"));
  redis.add(1);
  const loaded = mirror.load();
  await redis.answer();
  await loaded;
  mirror.receive("9");
  for (let answers = 0; answers < 3; answers++) await redis.answer();
  expect(redis.asked).toBe(0);
  expect(mirror.read(0)).toMatchObject({ entries: [{ seq: 1 }] });
});

test("an answer that is older than a notification meanwhile does not take its event away", async () => {
  const redis = slowRedis();
  const mirror = new Mirror(redis.link, keysOf("test", "conversation"));
  const loaded = mirror.load();
  await redis.answer();
  await loaded;
  mirror.check(0);
  expect(redis.asked).toBe(1);
  const event = { type: "custom", runId: "run", spanId: "span", name: "1" };
  mirror.receive(`1\n${JSON.stringify(event)}`);
  await redis.answer();
  expect(mirror.read(0)).toMatchObject({ entries: [{ seq: 1 }] });
});

const customOf = (seq: number, length = 1) => {
  const event = { type: "custom", runId: "run", spanId: "span", name: "x".repeat(length) };
  return LogEntry.parse(seq, JSON.stringify(event));
};

async function loaded() {
  const redis = slowRedis();
  const mirror = new Mirror(redis.link, keysOf("test", "conversation"));
  redis.add(1);
  const loading = mirror.load();
  await redis.answer();
  await loading;
  const seqs = (after: number) => mirror.read(after)?.entries.map(({ seq }) => seq);
  return { redis, mirror, seqs };
}

test("what this process wrote is taken in where it goes on, and never behind a hole, nor twice", async () => {
  const { mirror, seqs } = await loaded();
  mirror.accept([customOf(3)]);
  expect(seqs(0)).toEqual([1]);
  mirror.accept([customOf(1), customOf(2), customOf(3)]);
  expect(seqs(0)).toEqual([1, 2, 3]);
  mirror.accept([customOf(2), customOf(3)]);
  expect(seqs(0)).toEqual([1, 2, 3]);
  mirror.accept([customOf(5)]);
  expect(seqs(0)).toEqual([1, 2, 3]);
});

test.each([
  ["many", 4_000, 1],
  ["long", 40, 100_000],
])(
  "of entries that are %s the newest are held, and the rest is Redis's to tell",
  async (_what, count, length) => {
    const { mirror, seqs } = await loaded();
    let woken = 0;
    mirror.listeners.add(() => {
      woken += 1;
    });
    for (let seq = 2; seq <= count; seq++) mirror.accept([customOf(seq, length)]);
    expect(woken).toBe(count - 1);
    expect(seqs(0)).toBeUndefined();
    let held = 0;
    while (seqs(count - held - 1) !== undefined) held += 1;
    expect(held).toBeLessThanOrEqual(1.5 * 1_024);
    expect(held >= 1_024 || (held + 1) * length > 1024 * 1024).toBe(true);
    expect(held * length).toBeLessThanOrEqual(1.5 * 1024 * 1024);
    expect(seqs(count - 1)).toEqual([count]);
    // One that is longer than all that may be held is held alone.
    mirror.accept([customOf(count + 1, 2 * 1024 * 1024)]);
    expect(seqs(count)).toEqual([count + 1]);
    expect(seqs(count - 1)).toBeUndefined();
  },
);

test("a conversation is subscribed to from its first reader to its last, also where Redis fails the first", async () => {
  const channels: string[] = [];
  let failing = true;
  const notifications = {
    onInterruption: () => () => {},
    subscribe: async (channel: string) => {
      if (failing) throw new Error("away");
      channels.push(channel);
    },
    unsubscribe: async (channel: string) => void channels.splice(channels.indexOf(channel), 1),
  };
  const link = { send: async () => [] } as unknown as RedisCommands;
  const redis = { link, notifications, prefix: "test" } as unknown as Redis;
  using mirrors = new Mirrors(redis, { checkMs: 60_000, timeoutMs: 0 });
  await expect(mirrors.follow("c", () => {})).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(mirrors.get("c")).toBeUndefined();
  failing = false;
  const [first, second] = [
    await mirrors.follow("c", () => {}),
    await mirrors.follow("c", () => {}),
  ];
  expect(channels).toEqual([keysOf("test", "c").channel]);
  first();
  first();
  expect([channels.length, mirrors.get("c") === undefined]).toEqual([1, false]);
  second();
  expect([channels.length, mirrors.get("c")]).toEqual([0, undefined]);
  // Whoever comes later is not left by those who have left.
  await mirrors.follow("c", () => {});
  for (const leave of [first, second]) leave();
  expect([channels.length, mirrors.get("c") === undefined]).toEqual([1, false]);
});

test("nothing is read for readers once the log has closed", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  let reads = 0;
  const send = async () => {
    reads += 1;
    return [];
  };
  const link = { send } as unknown as RedisCommands;
  const notifications = { onInterruption: () => () => {}, subscribe: async () => {} };
  const redis = { link, notifications, prefix: "test" } as unknown as Redis;
  const mirrors = new Mirrors(redis, { checkMs: 60_000, timeoutMs: 0 });
  await mirrors.follow("c", () => {});
  await vi.advanceTimersByTimeAsync(120_000);
  const readBefore = reads;
  expect(readBefore).toBeGreaterThan(1);
  mirrors[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(reads).toBe(readBefore);
});
