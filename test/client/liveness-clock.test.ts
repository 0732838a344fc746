/** When the other end of a socket is pinged, and when it counts as gone: by the clock of a test. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Delay } from "../../client/src/connection/backoff.ts";
import { AdaptiveTimeout, Liveness } from "../../client/src/connection/liveness.ts";
import { now, wait } from "./scripted-link.ts";

function fakeClock() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
}

describe("a pong's deadline", () => {
  test.each([
    ["begins short, and grows with each that is missed, up to the longest", 10_000, [], 1_300],
    ["begins as long as is allowed at most", 1_000, [], 1_000],
    ["doubles", 10_000, ["expired", "expired"], 5_200],
    ["stops at the longest", 10_000, ["expired", "expired", "expired"], 10_000],
    ["is three round trips", 10_000, [1_000], 3_000],
    ["is never shorter than at first", 10_000, ["expired", 10], 1_300],
    ["is never longer than the longest", 10_000, [9_000], 10_000],
  ] as const)("%s", (_what, maxMs, happened, expectedMs) => {
    const timeout = new AdaptiveTimeout(maxMs);
    for (const it of happened) {
      if (it === "expired") timeout.expired();
      else timeout.answered(it);
    }
    expect(timeout.ms).toBe(expectedMs);
  });
});

interface Case {
  readonly name: string;
  /** What happens at which millisecond. */
  readonly happens: readonly (readonly [number, "heard" | "expectAnswer" | "ask" | "stop"])[];
  readonly until: number;
  readonly says: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: "one that is silent is pinged, and gone when it goes on",
    happens: [],
    until: 1_500,
    says: ["1000 ping", "1500 dead"],
  },
  {
    name: "one that is heard in between is pinged so much later",
    happens: [[600, "heard"]],
    until: 2_000,
    says: ["1600 ping"],
  },
  {
    name: "one that answers is not gone, and pinged again a time after that",
    happens: [[1_200, "heard"]],
    until: 2_699,
    says: ["1000 ping", "2200 ping"],
  },
  {
    name: "a request that is answered asks nothing",
    happens: [
      [100, "expectAnswer"],
      [400, "heard"],
    ],
    until: 999,
    says: [],
  },
  {
    name: "one that is not is asked after, and its answer waited for as long as is usual",
    happens: [
      [50, "heard"],
      [100, "expectAnswer"],
      [300, "expectAnswer"],
    ],
    until: 5_000,
    says: ["500 ping", "900 dead"],
  },
  {
    name: "before it has said anything, it has the time of a connection",
    happens: [[100, "expectAnswer"]],
    until: 5_000,
    says: ["500 ping", "1300 dead"],
  },
  {
    name: "asked at once, it has to answer in time, counted from the last question",
    happens: [
      [50, "heard"],
      [100, "ask"],
      [200, "ask"],
    ],
    until: 999,
    says: ["100 ping", "200 ping", "600 dead"],
  },
  {
    name: "a ping that is due while one is waited for is not sent twice",
    happens: [
      [50, "heard"],
      [900, "ask"],
    ],
    until: 1_299,
    says: ["900 ping"],
  },
  {
    name: "stopped, it says nothing more",
    happens: [
      [100, "expectAnswer"],
      [200, "stop"],
    ],
    until: 10_000,
    says: [],
  },
];

test.each(cases)("$name", async ({ happens, until, says }) => {
  fakeClock();
  const startedAtMs = performance.now();
  const transcript: string[] = [];
  const say = (line: string) =>
    transcript.push(`${Math.round(performance.now() - startedAtMs)} ${line}`);
  const options = { connectTimeoutMs: 800, pingAfterMs: 1_000, pongTimeoutMs: 500 };
  const timeout = new AdaptiveTimeout(400);
  const liveness: Liveness = new Liveness(options, timeout, {
    ping: () => say("ping"),
    dead: () => {
      say("dead");
      liveness.stop();
    },
  });
  for (const [atMs, what] of happens) {
    await wait(startedAtMs + atMs - performance.now());
    liveness[what]();
  }
  await wait(startedAtMs + until - performance.now());
  expect(transcript).toEqual(says);
  liveness.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test("a pong that did not come in time makes the next deadline longer", async () => {
  fakeClock();
  const options = { connectTimeoutMs: 800, pingAfterMs: 1_000, pongTimeoutMs: 500 };
  const timeout = new AdaptiveTimeout(10_000);
  const liveness = new Liveness(options, timeout, { ping: () => {}, dead: () => {} });
  liveness.ask();
  await wait(799);
  expect(timeout.ms).toBe(1_300);
  await wait(1);
  expect(timeout.ms).toBe(2_600);
  liveness.stop();
});

describe("a wait that can be shortened", () => {
  test.each([
    ["is over in time", [], 100],
    ["is over sooner", [[20, 30]], 50],
    ["is not over later", [[20, 300]], 100],
    ["is over at the same time", [[20, 80]], 100],
    ["is over at once", [[20, 0]], 20],
    [
      "is shortened again and again",
      [
        [20, 60],
        [30, 10],
        [35, 90],
      ],
      40,
    ],
  ] as const)("%s", async (_what, shortened, overAtMs) => {
    fakeClock();
    const startedAtMs = performance.now();
    const delay = new Delay(100);
    let overAt: number | undefined;
    void delay.over.then(() => {
      overAt = performance.now() - startedAtMs;
    });
    for (const [atMs, leftMs] of shortened) {
      await wait(startedAtMs + atMs - performance.now());
      delay.shorten(leftMs);
      expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
    }
    await wait(1_000);
    expect(overAt).toBe(overAtMs);
  });

  test("is never over once it is cancelled", async () => {
    fakeClock();
    const delay = new Delay(100);
    delay.cancel();
    await wait(1_000);
    expect(await now(delay.over)).toBe("waits");
  });
});
