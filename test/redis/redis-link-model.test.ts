import fc from "fast-check";
import { expect, test, vi } from "vitest";
import {
  type Attempt,
  defaultRedisTimes,
  type RedisConnection,
} from "../../src/redis/connection.ts";
import { RedisLink } from "../../src/redis/redis-link.ts";
import { pass, withOwnClock } from "../support/own-clock.ts";

const { pingMs, pingTimeoutMs, connectTimeoutMs, maxReconnectDelayMs } = defaultRedisTimes;
const stepMs = 500;
/** By then a connection that stands still is found, and another one is made. */
const longMs = 2 * (pingMs + pingTimeoutMs + maxReconnectDelayMs);

withOwnClock();

class Line implements RedisConnection {
  readonly takesAnyKeys = true;
  readonly #broken = Promise.withResolvers<void>();
  readonly broken = this.#broken.promise;
  isOpen = true;
  isWhole = true;
  answers = true;
  pingsOnceClosed = 0;

  readonly servers = [
    {
      ping: async (): Promise<void> => {
        if (!this.isOpen) this.pingsOnceClosed += 1;
        if (!this.isWhole) throw new Error("the connection is gone");
        if (!this.answers) await new Promise(() => {});
      },
      destroy: () => this.break(),
    },
  ];

  break(): void {
    this.isWhole = false;
    this.#broken.resolve();
  }

  send<Reply>(): Promise<Reply> {
    throw new Error("nothing is sent");
  }

  retire(): void {
    this.destroy();
  }

  destroy(): void {
    this.isOpen = false;
    this.break();
  }
}

function setUp() {
  const world = { isReachable: true, prepares: true };
  const lines: Line[] = [];
  /** Of each try: how many had failed, as it was told. */
  const told: number[] = [];
  const expected: number[] = [];
  let failures = 0;
  const connect = async ({ failures: before }: Attempt): Promise<Line> => {
    told.push(before);
    expected.push(failures);
    failures += 1;
    if (!world.isReachable) throw new Error("not reachable");
    const line = new Line();
    lines.push(line);
    return line;
  };
  const onConnect = async (line: Line): Promise<void> => {
    if (!world.prepares || !line.isWhole) throw new Error("not prepared");
    // The next try is the first after the end of a connection.
    failures = 1;
  };
  const open = () => RedisLink.open<Line>({ connect, onConnect });
  return { world, lines, open, tries: { told, expected } };
}

const happening = fc.oneof(
  { weight: 2, arbitrary: fc.record({ isReachable: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ prepares: fc.boolean() }) },
  { weight: 3, arbitrary: fc.constantFrom("breaks", "stands still") },
  { weight: 4, arbitrary: fc.constantFrom(0, 15, 500, pingMs, longMs) },
);

/** Of any length up to that: without a size, of ten at most. */
const schedule = fc.array(happening, { maxLength: 15, size: "max" });

test("one whole connection at a time, whatever happens to them", async () => {
  const property = fc.asyncProperty(schedule, async (happenings) => {
    vi.clearAllTimers();
    const { world, lines, open, tries } = setUp();
    const link = await open();
    const hold = (): void => {
      const newest = lines.findLast(({ isOpen }) => isOpen);
      expect(lines.filter(({ isOpen }) => isOpen).length).toBeLessThanOrEqual(1);
      expect(link.ready).toBe(newest?.isWhole ?? false);
      if (link.ready) expect(link.connection).toBe(newest);
      else
        expect(() => link.connection).toThrow(
          expect.objectContaining({ code: "STORE_UNAVAILABLE" }),
        );
      expect(lines.filter(({ pingsOnceClosed }) => pingsOnceClosed > 0)).toEqual([]);
    };
    hold();
    for (const it of happenings) {
      if (typeof it === "object") Object.assign(world, it);
      else if (it === "breaks") lines.at(-1)?.break();
      else if (it === "stands still") Object.assign(lines.at(-1) ?? {}, { answers: false });
      else await pass(it, stepMs);
      await pass(0, stepMs);
      hold();
      // Also while no other can be had: what is asked of it would wait for ever.
      if (it === longMs)
        expect(lines.filter(({ answers, isWhole }) => !answers && isWhole)).toEqual([]);
    }
    Object.assign(world, { isReachable: true, prepares: true });
    await pass(longMs, stepMs);
    hold();
    expect(link.ready).toBe(true);
    expect(tries.told).toEqual(tries.expected);
    const made = lines.length;
    const closing = link[Symbol.asyncDispose]();
    await pass(0, stepMs);
    await closing;
    hold();
    expect([lines.some(({ isOpen }) => isOpen), link.ready]).toEqual([false, false]);
    await pass(longMs, stepMs);
    hold();
    expect([lines.length, vi.getTimerCount()]).toEqual([made, 0]);
  });
  await fc.assert(property, { numRuns: 60 });
});

test("one that cannot be opened in time is given up", async () => {
  const { world, open, tries } = setUp();
  world.isReachable = false;
  const opening = expect(open()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await pass(connectTimeoutMs, stepMs);
  await opening;
  const tried = tries.told.length;
  expect(tried).toBeGreaterThan(1);
  await pass(longMs, stepMs);
  expect([tries.told.length, vi.getTimerCount()]).toEqual([tried, 0]);
});

test("an answer that came while this process was busy is one", async () => {
  const { lines, open } = setUp();
  await using link = await open();
  const [line] = lines;
  const answer = Promise.withResolvers<void>();
  Object.assign(line?.servers[0] ?? {}, { ping: () => answer.promise });
  await vi.advanceTimersByTimeAsync(pingMs);
  // All of it has passed before anything else was done.
  vi.advanceTimersByTime(pingTimeoutMs);
  setImmediate(answer.resolve);
  await pass(0, stepMs);
  expect([link.ready, line?.isWhole]).toEqual([true, true]);
});
