import fc from "fast-check";
import { expect, test } from "vitest";
import { Broadcast } from "../../src/redis/broadcast.ts";
import type { Redis } from "../../src/redis/redis.ts";
import { pass, withOwnClock } from "../support/own-clock.ts";

const retryMs = 250;
const keptUnsent = 10_000;

withOwnClock();

type Entry = [id: string, field: [name: string, message: string]];

class OneRedis {
  stream: Entry[] = [];
  /** Messages in the order in which the stream was given them, also those that are lost by now. */
  readonly given: string[] = [];
  readonly ready = true;
  #atMs = 1_000_000;
  #number = 0;
  next: "answers" | "refuses" | "says nothing" = "answers";
  answers: Promise<void> = Promise.resolve();
  notifies = true;
  readonly #subscribed = new Map<string, Set<() => void>>();

  get subscribed(): number {
    return [...this.#subscribed.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** A Redis as one of its processes has it. */
  process(): Redis {
    let mine: (() => void) | undefined;
    const notifications = {
      subscribe: async (channel: string, listener: () => void) => {
        mine = listener;
        const others = this.#subscribed.get(channel) ?? new Set();
        this.#subscribed.set(channel, others.add(listener));
      },
      unsubscribe: async (channel: string) =>
        void this.#subscribed.get(channel)?.delete(mine ?? (() => {})),
    };
    return { link: this, notifications, prefix: "test" } as unknown as Redis;
  }

  async send(_key: string, command: readonly string[]): Promise<unknown> {
    const { next } = this;
    this.next = "answers";
    await this.answers;
    if (next === "refuses") throw new Error("refused");
    const answer = this.#carryOut(command);
    if (next === "says nothing") throw new Error("the connection is gone");
    return answer;
  }

  loseAll(backMs: number): void {
    this.stream = [];
    // An id comes twice only where the clock is as far behind as the process that took over was late.
    this.#atMs += 1 - backMs;
    this.#number = 0;
  }

  #carryOut([name, ...args]: readonly string[]): unknown {
    switch (name) {
      case "XRANGE": {
        const [, from = ""] = args;
        const after = from.startsWith("(") ? from.slice(1) : undefined;
        return this.stream.filter(([id]) => after === undefined || isBefore(after, id));
      }
      case "XREVRANGE":
        return this.stream.slice(-1);
      case "XDEL":
        this.stream = this.stream.filter(([id]) => !args.includes(id));
        return 0;
      default: {
        // The publishing script: KEYS[1], then how many are kept, for how long, the channel and the message.
        const [, , , , , channel = "", message = ""] = args;
        this.stream.push([`${this.#atMs}-${this.#number++}`, ["n", message]]);
        this.given.push(message);
        if (this.notifies) for (const listener of this.#subscribed.get(channel) ?? []) listener();
        return 1;
      }
    }
  }
}

function isBefore(one: string, other: string): boolean {
  const [ms = 0, number = 0] = one.split("-").map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split("-").map(Number);
  return ms < otherMs || (ms === otherMs && number < otherNumber);
}

async function join(redis: OneRedis) {
  const received: string[] = [];
  const onMessage = (message: string) => void received.push(message);
  const broadcast = await Broadcast.open({ redis: redis.process(), name: "test", onMessage });
  return { broadcast, received };
}

const happening = fc.oneof(
  { weight: 5, arbitrary: fc.record({ publishes: fc.nat(1), count: fc.constantFrom(1, 1, 3) }) },
  { weight: 2, arbitrary: fc.record({ receives: fc.nat(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ next: fc.constantFrom("refuses" as const, "says nothing" as const) }),
  },
  { weight: 2, arbitrary: fc.record({ notifies: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ losesBackMs: fc.constantFrom(0, 500) }) },
  { weight: 3, arbitrary: fc.constantFrom(0, retryMs) },
);

/** Of any length up to that: without a size, of ten at most. */
const schedule = fc.array(happening, { maxLength: 20, size: "max" });

test("each process has all that the stream was given, once and in order", async () => {
  const property = fc.asyncProperty(schedule, async (happenings) => {
    const redis = new OneRedis();
    const all = [await join(redis), await join(redis)];
    const published: string[] = [];
    /** How many the stream had been given when it lost them. */
    let lost = 0;
    for (const it of happenings) {
      if (typeof it === "number") await pass(it);
      else if ("publishes" in it) {
        for (let index = 0; index < it.count; index++) {
          published.push(`${published.length}`);
          all[it.publishes]?.broadcast.publish(published.at(-1) ?? "");
        }
      } else if ("receives" in it) void all[it.receives]?.broadcast.receive();
      else if ("losesBackMs" in it) {
        redis.loseAll(it.losesBackMs);
        lost = redis.given.length;
      } else Object.assign(redis, it);
    }
    await pass(published.length * 2 * retryMs);
    redis.next = "answers";
    for (const { broadcast } of all) await broadcast.receive();
    await pass(0);
    // Sent again where no answer came, so at least once.
    expect(new Set(redis.given)).toEqual(new Set(published));
    for (const { received } of all) {
      expect(received.slice(received.length - (redis.given.length - lost))).toEqual(
        redis.given.slice(lost),
      );
      const before = received.slice(0, received.length - (redis.given.length - lost));
      // Of what was lost, some may never have come, and nothing came twice.
      let at = -1;
      for (const message of before) {
        at = redis.given.indexOf(message, at + 1);
        expect(at).toBeGreaterThanOrEqual(0);
      }
    }
  });
  await fc.assert(property, { numRuns: 150 });
});

test("what is notified of while it reads is read as well", async () => {
  const redis = new OneRedis();
  const { broadcast, received } = await join(redis);
  const answer = Promise.withResolvers<void>();
  redis.answers = answer.promise;
  const receiving = broadcast.receive();
  await pass(0);
  // The question is under way, with an answer from before this.
  redis.answers = Promise.resolve();
  const other = await join(redis);
  redis.answers = answer.promise;
  other.broadcast.publish("a");
  await pass(0);
  redis.answers = Promise.resolve();
  answer.resolve();
  await receiving;
  await pass(0);
  expect(received).toEqual(["a"]);
});

test("of what Redis does not take the newest ten thousand are kept", async () => {
  const redis = new OneRedis();
  // It reads again at each notification, all that there is.
  redis.notifies = false;
  const { broadcast } = await join(redis);
  redis.answers = Promise.reject(new Error("away"));
  redis.answers.catch(() => {});
  for (let index = 0; index < keptUnsent + 5; index++) broadcast.publish(`${index}`);
  await pass(0);
  redis.answers = Promise.resolve();
  await pass(retryMs);
  expect([redis.given.length, redis.given[0]]).toEqual([keptUnsent, "5"]);
});

test("one that leaves has its last messages taken, and listens no more", async () => {
  const redis = new OneRedis();
  const { broadcast } = await join(redis);
  const other = await join(redis);
  expect(redis.subscribed).toBe(2);
  broadcast.publish("a");
  broadcast.publish("b");
  await broadcast[Symbol.asyncDispose]();
  expect(redis.given).toEqual(["a", "b"]);
  expect(redis.subscribed).toBe(1);
  await pass(0);
  expect(other.received).toEqual(["a", "b"]);
  // They are on their way for a while, and then it may close its connection.
  const third = await join(redis);
  const answer = Promise.withResolvers<void>();
  redis.answers = answer.promise;
  third.broadcast.publish("last");
  let hasLeft = false;
  const closing = third.broadcast[Symbol.asyncDispose]().then(() => {
    hasLeft = true;
  });
  await pass(500);
  expect(hasLeft).toBe(false);
  answer.resolve();
  await closing;
  expect(redis.given.at(-1)).toBe("last");
  // Where Redis does not answer, it is not waited for.
  redis.answers = new Promise(() => {});
  other.broadcast.publish("c");
  const leaving = other.broadcast[Symbol.asyncDispose]();
  await pass(2_000);
  await leaving;
});

test("messages that are to be removed are nobody's any more", async () => {
  const redis = new OneRedis();
  const { broadcast } = await join(redis);
  for (const message of ["a", "b", "a"]) broadcast.publish(message);
  await pass(0);
  await broadcast.remove((message) => message === "a");
  expect(redis.stream.map(([, [, message]]) => message)).toEqual(["b"]);
});
