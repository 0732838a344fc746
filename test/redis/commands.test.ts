/** How commands get to Redis: by which server, within which time, again or not, and what is said where they do not. */
import { describe, expect, test, vi } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import { type Attempt, defaultRedisTimes, type RedisCommands } from "../../src/redis/connection.ts";
import { KnownServers } from "../../src/redis/known-servers.ts";
import { orUnavailable, retryFor } from "../../src/redis/retry.ts";
import { Script } from "../../src/redis/script.ts";
import { withOwnClock } from "../support/own-clock.ts";

withOwnClock();

const unavailable = { code: "STORE_UNAVAILABLE" };

describe("what is tried again", () => {
  test("is, until it succeeds or its time is over", async () => {
    let tries = 0;
    const failing = (times: number) => async () => {
      tries += 1;
      if (tries <= times) throw new Error("away");
      return tries;
    };
    const trying = retryFor(1_000, failing(4));
    await vi.advanceTimersByTimeAsync(500);
    expect(await trying).toBe(5);
    tries = 0;
    const inVain = expect(retryFor(1_000, failing(1e6))).rejects.toMatchObject(unavailable);
    await vi.advanceTimersByTimeAsync(5_000);
    await inVain;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(15);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("and fails is told as what a caller understands", async () => {
    const cause = new Error("ECONNRESET");
    const refusal = new LangwireError("OWNER_LOST");
    await expect(orUnavailable(() => Promise.reject(cause))).rejects.toMatchObject({
      ...unavailable,
      cause,
    });
    await expect(orUnavailable(() => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(await orUnavailable(async () => 1)).toBe(1);
  });
});

describe("a script", () => {
  test.each([
    ["is known", undefined, ["EVALSHA"], 1],
    ["is not known any more", "NOSCRIPT No matching script.", ["EVALSHA", "EVAL"], 1],
    ["is refused", "OOM command not allowed", ["EVALSHA"], "OOM command not allowed"],
    ["is answered by nobody", "Connection terminated", ["EVALSHA"], "Connection terminated"],
  ])("that %s", async (_what, error, names, comesTo) => {
    const sent: string[][] = [];
    const link = {
      send: async (_key: string, command: string[]) => {
        sent.push(command);
        if (error !== undefined && sent.length === 1) throw new Error(error);
        return 1;
      },
    } as unknown as RedisCommands;
    const running = new Script<number>("return 1").run(link, ["k", "l"], ["a", 2]);
    expect(await running.catch(({ message }) => message)).toBe(comesTo);
    expect(sent.map(([name]) => name)).toEqual(names);
    for (const command of sent) expect(command.slice(2)).toEqual(["2", "k", "l", "a", "2"]);
    if (names.length > 1) expect(sent[1]?.[1]).toBe("return 1");
  });
});

describe("the servers of a cluster", () => {
  const attempt = (failures: number, signal = new AbortController().signal): Attempt => ({
    ...{ times: defaultRedisTimes, signal, failures },
  });
  const url = "rediss://me:secret@redis.example:7000/0";

  test("are each connected to in turn, with the user and TLS of the settings", () => {
    const known = new KnownServers(url);
    expect([known.next(), known.next()]).toEqual([url, url]);
    known.learn([
      { host: "10.0.0.1", port: 7001 },
      { host: "2001:db8::2", port: 7002 },
    ]);
    const three = new Set([known.next(), known.next(), known.next()]);
    expect(three).toEqual(
      new Set([
        url,
        "rediss://me:secret@10.0.0.1:7001/0",
        "rediss://me:secret@[2001:db8::2]:7002/0",
      ]),
    );
    expect(new Set([known.next(), known.next(), known.next()])).toEqual(three);
    // Replaced, not added to.
    known.learn([{ host: "10.0.0.9", port: 7009 }]);
    expect(new Set([known.next(), known.next()]).size).toBe(2);
  });

  test("have a deadline where there are others, which doubles with each that failed", async () => {
    const known = new KnownServers(url);
    const { signal } = new AbortController();
    expect(known.deadline(attempt(0, signal))).toBe(signal);
    known.learn([{ host: "10.0.0.1", port: 7001 }]);
    const limits: number[] = [];
    using timeouts = vi.spyOn(AbortSignal, "timeout");
    for (const failures of [0, 1, 2, 10]) {
      known.deadline(attempt(failures));
      limits.push(timeouts.mock.calls.at(-1)?.[0] ?? 0);
    }
    const { pingMs, connectTimeoutMs } = defaultRedisTimes;
    expect(limits).toEqual([pingMs, 2 * pingMs, 4 * pingMs, 3 * connectTimeoutMs]);
    const given = new AbortController();
    const deadline = known.deadline(attempt(0, given.signal));
    expect(deadline.aborted).toBe(false);
    given.abort();
    expect(deadline.aborted).toBe(true);
  });

  test("are none behind a socket of this machine", () => {
    const known = new KnownServers("unix:///run/redis.sock");
    known.learn([{ host: "10.0.0.1", port: 7001 }]);
    expect([known.next(), known.next()]).toEqual(Array(2).fill("unix:///run/redis.sock"));
  });
});
