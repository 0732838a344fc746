import { describe, expect, test, vi } from "vitest";
import { RedisLog } from "../../src/log/redis/redis-log.ts";
import type { Redis } from "../../src/redis/redis.ts";
import { pass, withOwnClock } from "../support/own-clock.ts";

const timeoutMs = 1_000;
const list = "p:open-runs:here";

withOwnClock();

/** A Redis that answers as it is told to, and the log of a process there. */
function setUp() {
  /** The names of commands, and what of each is of interest. */
  const sent: string[] = [];
  const world = {
    answers: {} as Record<string, () => unknown>,
    ready: true,
  };
  let seq = 0;
  const send = async (_key: string, [name = "", ...args]: readonly string[]) => {
    const [run, ...more] = args.slice(2 + Number(args[1]));
    // The scripts: of one run, to close it with fewer arguments than to open it; else to append.
    const script = run !== "r" ? "append" : more.length > 4 ? "open" : "close";
    const what = name.startsWith("EVAL") ? script : name;
    const of = what === name ? ` ${args.join(" ")}` : "";
    sent.push(`${what}${of}`);
    const answer = world.answers[what];
    if (answer !== undefined) return answer();
    if (what === "open") return ["opened", 0];
    if (what === "append") return ["ok", ++seq];
    if (what === "XRANGE" || what === "XREVRANGE") return [];
    return 1;
  };
  const notifications = {
    onInterruption: () => () => {},
    subscribe: async () => {},
    unsubscribe: async () => {},
    interruptions: 0,
  };
  const link = {
    takesAnyKeys: true,
    isRefusal: () => false,
    send,
    get ready() {
      return world.ready;
    },
  };
  const redis = {
    link,
    notifications,
    prefix: "p",
    nodeId: "here",
    ready: true,
  } as unknown as Redis;
  const log = new RedisLog({ redis, times: { timeoutMs, checkMs: 60_000 } });
  const open = () => log.open({ conversationId: "c", runId: "r", after: 0 });
  return { log, sent, world, open };
}

const away = () => {
  throw new Error("away");
};
const say = (writer: { append(event: never): number }) =>
  writer.append({ type: "custom", runId: "r", spanId: "s", name: "x" } as never);

describe("a run", () => {
  test("is listed before it is opened, and until it is over", async () => {
    const { log, sent, open } = setUp();
    const writer = await open();
    expect(sent.slice(0, 3)).toEqual([
      `HSET ${list} r c`,
      `PEXPIRE ${list} ${24 * 60 * 60_000}`,
      "open",
    ]);
    sent.length = 0;
    say(writer);
    await writer.flushed();
    expect(sent).toEqual(["append"]);
    writer.close();
    await pass(100, 100);
    expect(sent).toEqual(["append", "close", `HDEL ${list} r`]);
    // Nothing of it is looked after any more.
    const check = vi.spyOn(writer, "check");
    sent.length = 0;
    log.checkWriters();
    await pass(100, 100);
    expect([sent, check.mock.calls]).toEqual([[], []]);
  });

  test("that cannot be listed is not opened", async () => {
    const { sent, world, open } = setUp();
    world.answers.HSET = away;
    await expect(open()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(sent).not.toContain("open");
  });

  test.each([
    [() => ["fenced", 3], "OWNER_LOST", true],
    [() => ["closed", 3], "OWNER_LOST", true],
    // It may have been opened, and the answer was lost.
    [away, "STORE_UNAVAILABLE", false],
  ])(
    "that cannot be opened leaves the list where it is another's: %s",
    async (answer, code, leaves) => {
      const { sent, world, open } = setUp();
      world.answers.open = answer;
      await expect(open()).rejects.toMatchObject({ code });
      expect(sent.includes(`HDEL ${list} r`)).toBe(leaves);
    },
  );

  test("in progress is looked after when its process is told to", async () => {
    const { log, sent, open } = setUp();
    await open();
    sent.length = 0;
    log.checkWriters();
    await pass(100, 100);
    expect(sent).toEqual(["append"]);
  });
});

describe("a log that closes", () => {
  test("has its last events taken first, and writes nothing after", async () => {
    const { log, sent, world, open } = setUp();
    const writer = await open();
    const answer = Promise.withResolvers<unknown>();
    world.answers.append = () => answer.promise;
    say(writer);
    const closing = log[Symbol.asyncDispose]();
    let closed = false;
    void closing.then(() => {
      closed = true;
    });
    await pass(500, 100);
    expect([sent.at(-1), closed]).toEqual(["append", false]);
    answer.resolve(["ok", 1]);
    await closing;
    sent.length = 0;
    say(writer);
    await pass(2_000, 100);
    expect(sent).toEqual([]);
  });

  test.each([true, false])(
    "waits for a Redis that does not answer no longer than a second: ready %s",
    async (ready) => {
      const { log, world, open } = setUp();
      const writer = await open();
      world.answers.append = () => new Promise(() => {});
      say(writer);
      await pass(0, 100);
      world.ready = ready;
      let closed = false;
      void log[Symbol.asyncDispose]().then(() => {
        closed = true;
      });
      await pass(ready ? 900 : 0, 100);
      expect(closed).toBe(!ready);
      await pass(200, 100);
      expect(closed).toBe(true);
    },
  );
});

test("who reads what is not here waits for a Redis that is away, up to a limit", async () => {
  const { log, world } = setUp();
  world.answers.XRANGE = away;
  const read = Promise.resolve(log.read("c", 5));
  await pass(timeoutMs - 200, 100);
  delete world.answers.XRANGE;
  await pass(200, 100);
  expect(await read).toEqual({ entries: [], oldest: undefined });
  world.answers.XRANGE = away;
  const failing = expect(Promise.resolve(log.read("c", 5))).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
  await pass(timeoutMs + 500, 100);
  await failing;
});

test("an event that comes while it is looked for is told, and its reader waits for no other", async () => {
  const { log, sent, world } = setUp();
  const event = [["6-0", ["e", JSON.stringify({ type: "token", runId: "r", text: "x" })]]];
  let reads = 0;
  world.answers.XRANGE = () => (reads++ === 0 ? [] : event);
  world.answers.XREVRANGE = () => event;
  const { entries, oldest } = await log.read("c", 5);
  expect([entries.map(({ seq }) => seq), oldest]).toEqual([[6], 6]);
  expect(sent.map((command) => command.split(" ")[0])).toEqual(["XRANGE", "XREVRANGE", "XRANGE"]);
});

test("all is forgotten that is to be, whole or in part", async () => {
  const { log, sent } = setUp();
  await log.forget([
    { conversationId: "a", through: 5 },
    { conversationId: "b" },
    { conversationId: "c", through: 7 },
  ]);
  expect(sent).toEqual(["append", "DEL p:{b}:events p:{b}:pen p:{b}:ended", "append"]);
});
