import { expect, test } from "vitest";
import { Mirror } from "../../src/log/redis/mirror.ts";
import { keysOf } from "../../src/log/redis/run-scripts.ts";
import type { RedisCommands } from "../../src/redis/connection.ts";

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
