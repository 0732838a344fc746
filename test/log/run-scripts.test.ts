/** What Redis does for the log in one step: who may write, what is kept of it and how long, what leaves when. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  appendScript,
  type ConversationKeys,
  closeScript,
  forgetScript,
  keysOf,
  openScript,
} from "../../src/log/redis/run-scripts.ts";
import { Redis } from "../../src/redis/redis.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";

const [liveMs, retentionMs, maxBytes] = [3_600_000, 900_000, 1_000];

needsRedis("redis: the log's scripts", () => {
  let server: TestRedis;
  let redis: Redis;
  let keys: ConversationKeys;
  let all: string[];

  beforeAll(async () => {
    server = await startRedis();
    redis = await Redis.open({ url: server.url, nodeId: "here" });
  });
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    keys = keysOf("test", randomUUID());
    all = [keys.events, keys.lease, keys.ended];
  });

  const send = <T>(...command: string[]) => redis.link.send<T>(keys.events, command);

  interface Opening {
    readonly token?: string;
    readonly after?: number;
    readonly takeOver?: boolean;
  }
  const open = (run: string, { token = "t", after = 0, takeOver = false }: Opening = {}) =>
    openScript.run(redis.link, all, [
      ...[run, token, after, takeOver ? 1 : 0],
      ...[liveMs, retentionMs, maxBytes],
    ]);

  interface Appending {
    readonly token?: string;
    /** The number of the first of them. */
    readonly from: number;
    readonly events: readonly string[];
    readonly renews?: boolean;
    readonly counted?: number;
  }
  async function append(run: string, { token = "t", from, events, ...more }: Appending) {
    const { renews = false, counted = 0 } = more;
    const { length } = events;
    const count = renews || counted > 0 ? `${length} ${renews ? liveMs : 0} ${counted}` : length;
    const [how, last] = await appendScript.run(redis.link, all, [
      ...[token, all.length, run, keys.channel, from - 1, from - 1 + length, count, ...events],
    ]);
    return [how, Number(last)];
  }
  const close = (run: string, { token = "t", counted = 0 } = {}) =>
    closeScript.run(redis.link, all, [run, token, retentionMs, maxBytes, counted]);
  /** A run from its beginning to its end. */
  async function whole(run: string, after: number, counted: number): Promise<void> {
    await open(run, { after });
    await append(run, { from: after + 1, events: [`${run} 1`, `${run} 2`] });
    await close(run, { counted });
  }

  const numbers = async () =>
    (await send<[string, unknown][]>("XRANGE", keys.events, "-", "+")).map(([id]) =>
      Number.parseInt(id, 10),
    );
  const lease = (field: string) => send<string | null>("HGET", keys.lease, field);
  const bytes = async () => Number(await lease("bytes"));
  const ended = async () =>
    (await send<string[]>("LRANGE", keys.ended, "0", "-1")).map((it) => it.split(" ").map(Number));
  const ttls = () => Promise.all(all.map((key) => send<number>("PTTL", key)));
  const expires = (key: string, ms: number) => send("PEXPIRE", key, String(ms));

  test("one run writes at a time: who comes later has it, and of two processes the one that took it over", async () => {
    expect(await open("one")).toEqual(["opened", 0]);
    expect(await append("one", { from: 1, events: ["a", "b"] })).toEqual(["ok", 2]);
    // Another process, which has not been told to, and the same one again.
    expect(await open("one", { token: "other" })).toEqual(["fenced", 2]);
    expect(await open("one")).toEqual(["opened", 2]);
    expect(await open("one", { token: "other", takeOver: true })).toEqual(["opened", 2]);
    expect(await append("one", { from: 3, events: ["c"] })).toEqual(["fenced", 2]);
    expect(await close("one")).toBe(0);
    expect(await append("one", { token: "other", from: 3, events: ["c"] })).toEqual(["ok", 3]);
    expect(await close("one", { token: "other" })).toBe(1);
    // Once only, and nothing more is added, by nobody.
    expect(await close("one", { token: "other" })).toBe(0);
    expect(await ended()).toHaveLength(1);
    expect(await append("one", { token: "other", from: 4, events: ["d"] })).toEqual(["closed", 3]);
    for (const token of ["t", "other"]) {
      expect(await open("one", { token, takeOver: true })).toEqual(["closed", 3]);
    }
    expect(await open("two", { after: 3 })).toEqual(["opened", 3]);
    expect(await append("one", { token: "other", from: 4, events: ["d"] })).toEqual(["fenced", 3]);
    expect(await close("one", { token: "other" })).toBe(0);
    expect(await open("one", { takeOver: true })).toEqual(["fenced", 3]);
    expect(await append("two", { from: 4, events: ["e"] })).toEqual(["ok", 4]);
    expect(await numbers()).toEqual([1, 2, 3, 4]);
    expect(await send("XRANGE", keys.events, "4-0", "4-0")).toEqual([["4-0", ["e", "e"]]]);
  });

  test("what is in is not added again, what is in in part is added to, and nothing behind a hole", async () => {
    await open("one");
    await append("one", { from: 1, events: ["a", "b"] });
    expect(await append("one", { from: 1, events: ["a", "b"] })).toEqual(["ok", 2]);
    expect(await append("one", { from: 2, events: ["b", "c"] })).toEqual(["ok", 3]);
    expect(await append("one", { from: 5, events: ["e"] })).toEqual(["gap", 3]);
    expect(await append("one", { from: 4, events: [] })).toEqual(["ok", 3]);
    expect(await numbers()).toEqual([1, 2, 3]);
    await send("DEL", keys.lease);
    expect(await append("one", { from: 4, events: ["d"] })).toEqual(["lost", 0]);
  });

  test("where Redis has lost the newest, what it has left is no part of what goes on", async () => {
    await whole("one", 0, 600);
    await open("two", { after: 2 });
    await append("two", { from: 3, events: ["c", "d"], counted: 100 });
    await send("XDEL", keys.events, "3-0", "4-0");
    expect(await open("two", { after: 4, takeOver: true })).toEqual(["opened", 4]);
    expect([await numbers(), await ended(), await bytes()]).toEqual([[], [], 0]);
    expect(await append("two", { from: 5, events: ["e"] })).toEqual(["ok", 5]);
    await close("two", { counted: 10 });
    expect([await numbers(), await ended(), await bytes()]).toEqual([
      [5],
      [[5, expect.anything(), 10]],
      10,
    ]);
  });

  test("a run's bytes are those of its appends and its end, and leave with it", async () => {
    await open("one");
    await append("one", { from: 1, events: ["a"], counted: 0 });
    await append("one", { from: 2, events: ["b"], counted: 70 });
    await append("one", { from: 3, events: ["c"], counted: 80 });
    expect(await bytes()).toBe(150);
    await close("one", { counted: 50 });
    await whole("two", 3, 300);
    expect((await ended()).map(([last, , of]) => [last, of])).toEqual([
      [3, 200],
      [5, 300],
    ]);
    expect(await bytes()).toBe(500);
    // Past the limit the oldest leave, as many as are too much: at an end, and at a beginning.
    await whole("three", 5, 650);
    expect((await ended()).map(([last]) => last)).toEqual([5, 7]);
    expect([await numbers(), await bytes()]).toEqual([[4, 5, 6, 7], 950]);
    await send("HINCRBY", keys.lease, "bytes", "51");
    await open("four", { after: 7 });
    expect([await numbers(), await bytes()]).toEqual([[6, 7], 701]);
  });

  test.each(["begins", "ends"])(
    "what has ended too long ago leaves when another one %s",
    async (what) => {
      await whole("one", 0, 10);
      await whole("two", 2, 10);
      const [[last = 0, at = 0, of = 0] = []] = await ended();
      await send("LSET", keys.ended, "0", `${last} ${at - retentionMs - 1} ${of}`);
      expect(await numbers()).toEqual([1, 2, 3, 4]);
      await open("three", { after: 4 });
      if (what === "ends") {
        await send("LPUSH", keys.ended, `${last} ${at - retentionMs - 1} ${of}`);
        await append("three", { from: 5, events: ["e"] });
        await close("three");
        expect((await ended()).map(([seq]) => seq)).toEqual([4, 5]);
        return;
      }
      expect([await numbers(), (await ended()).length, await bytes()]).toEqual([[3, 4], 1, 10]);
    },
  );

  test("what is forgotten is gone to its last event, and counts no more", async () => {
    await whole("one", 0, 100);
    await whole("two", 2, 200);
    await whole("three", 4, 300);
    await forgetScript.run(redis.link, all, [4]);
    expect([await numbers(), await bytes()]).toEqual([[5, 6], 300]);
    expect((await ended()).map(([last]) => last)).toEqual([6]);
    await forgetScript.run(redis.link, all, [100]);
    expect([await numbers(), await ended(), await bytes()]).toEqual([[], [], 0]);
  });

  test("nothing stays for ever: of a run in progress as long as it goes on, of an ended one a while", async () => {
    const are = async (ms: number) => {
      const found = (await ttls()).filter((ttl) => ttl !== -2);
      expect(found.every((ttl) => ttl > ms - 60_000 && ttl <= ms)).toBe(true);
    };
    await open("one");
    await append("one", { from: 1, events: ["a"], renews: true });
    await are(liveMs);
    for (const key of all) await expires(key, 120_000);
    await append("one", { from: 2, events: ["b"] });
    await are(120_000);
    await append("one", { from: 3, events: ["c"], renews: true });
    await are(liveMs);
    for (const key of all) await expires(key, 120_000);
    await open("one");
    await are(liveMs);
    await close("one");
    await are(retentionMs);
    expect(await ttls()).not.toContain(-1);
  });

  test("readers are notified of each append, with its events unless they are long", async () => {
    const heard: string[] = [];
    await redis.notifications.subscribe(keys.channel, (message) => void heard.push(message));
    await open("one");
    await append("one", { from: 1, events: ["a"] });
    await append("one", { from: 2, events: ["b", "c"] });
    // Half of it is in.
    await append("one", { from: 3, events: ["c", "d"] });
    await append("one", { from: 5, events: ["x".repeat(10_000), "y".repeat(10_000)] });
    await append("one", { from: 5, events: ["again"] });
    await expect.poll(() => heard.length).toBe(4);
    expect(heard).toEqual(["1\na", "3\nb\nc", "4\nd", "6"]);
    await redis.notifications.unsubscribe(keys.channel);
  });
});
