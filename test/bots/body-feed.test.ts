/** What a reader of a provider's answer is given, and what its connection is told: without a connection. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { BodyFeed } from "../../src/event-fetch/body-feed.ts";
import type { IdleTimeout } from "../../src/event-fetch/idle-timeout.ts";
import { Events, type Pieces, Reads } from "../../src/event-fetch/sse-split.ts";

const kibibyte = 1024;
const event = (text: string) => Buffer.from(`data: ${text}\n\n`);

function feedOf(pieces: Pieces = new Events()) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(what);
  const connection = { pause: tell("pause"), resume: tell("resume"), close: tell("close") };
  const idleTimeout = {
    ...{ answerBegun: tell("begun"), resume: tell("waits"), pause: tell("works") },
    stop: tell("stop"),
  };
  const feed = new BodyFeed({
    ...{ pieces, connection },
    idleTimeout: idleTimeout as Partial<IdleTimeout> as IdleTimeout,
  });
  /** What a reader takes: texts, until there is nothing, or what ends it. */
  const taken = (): string[] => {
    const found: string[] = [];
    for (;;) {
      try {
        const piece = feed.take();
        if (piece === undefined || piece === null)
          return [...found, piece === null ? "end" : "wait"];
        found.push(piece.toString().trim());
      } catch (error) {
        return [...found, String(error)];
      }
    }
  };
  return { feed, told, taken };
}

describe("what came", () => {
  test("is given event by event, and what has no blank line behind it at the end", () => {
    const { feed, taken } = feedOf();
    feed.put(Buffer.concat([event("a"), event("b"), Buffer.from("data: c\n")]));
    expect(taken().join("|")).toMatch(/^data: a.*data: b\|wait$/s);
    feed.end();
    expect(taken()).toEqual(["data: c", "end"]);
    expect(taken()).toEqual(["end"]);
  });

  test.each(["end", "fail"] as const)("whole before an answer's %s is given before it", (how) => {
    const { feed, taken } = feedOf();
    feed.put(event("a"));
    feed.put(Buffer.from("data: ha"));
    if (how === "end") feed.end();
    else feed.fail(new Error("cut"));
    expect(taken()).toEqual(
      how === "end" ? ["data: a", "data: ha", "end"] : ["data: a", "Error: cut"],
    );
    // Nothing changes that any more.
    feed.fail(new Error("later"));
    feed.end();
    feed.put(event("late"));
    expect(taken()).toEqual([how === "end" ? "end" : "Error: cut"]);
    expect(feed.error === undefined).toBe(how === "end");
  });

  test("is not given where its reader's caller gives up", () => {
    const { feed, taken } = feedOf();
    feed.put(event("a"));
    feed.abort(new Error("stopped"));
    expect(taken()).toEqual(["Error: stopped"]);
  });

  test("wakes who waits, once, and its time is the provider's only for as long as that", () => {
    const { feed, told, taken } = feedOf();
    let woken = 0;
    expect(taken()).toEqual(["wait"]);
    feed.wait(() => woken++);
    expect(told).toEqual(["waits"]);
    for (const text of ["a", "b"]) feed.put(event(text));
    expect([woken, told]).toEqual([1, ["waits", "begun", "works", "begun"]]);
    feed.wait(() => woken++);
    feed.stopWaiting();
    feed.put(event("c"));
    expect(woken).toBe(1);
    for (const end of ["end", "fail"] as const) {
      const ended = feedOf();
      let told = 0;
      ended.feed.wait(() => told++);
      if (end === "end") ended.feed.end();
      else ended.feed.fail(new Error("cut"));
      expect([end, told]).toEqual([end, 1]);
    }
  });
});

describe("a connection", () => {
  test("is paused above what may be unread, and goes on below half of that", () => {
    const { feed, told } = feedOf(new Reads());
    const flow = () => told.filter((what) => what === "pause" || what === "resume");
    const read = Buffer.alloc(64 * kibibyte);
    for (let count = 0; count < 4; count++) feed.put(read);
    expect(flow()).toEqual([]);
    feed.put(read);
    feed.put(read);
    expect(flow()).toEqual(["pause"]);
    for (let count = 0; count < 4; count++) feed.take();
    expect(flow()).toEqual(["pause"]);
    feed.take();
    expect(flow()).toEqual(["pause", "resume"]);
    for (let count = 0; count < 4; count++) feed.put(read);
    expect(flow()).toEqual(["pause", "resume", "pause"]);
  });

  test("is closed where its answer is not wanted, and nothing more is given of it", () => {
    const { feed, told, taken } = feedOf();
    feed.put(event("a"));
    feed.cancel();
    feed.cancel();
    expect(told.filter((what) => what === "close")).toEqual(["close"]);
    expect(taken()).toEqual(["end"]);
    const ended = feedOf();
    ended.feed.end();
    ended.feed.cancel();
    expect(ended.told).not.toContain("close");
  });

  test.each([
    ["and is kept where that comes in time", 999, []],
    ["and is closed where it does not", 1_000, ["close"]],
  ])("may bring its last bytes to a reader who has all, %s", (_what, ms, closed) => {
    const { feed, told, taken } = feedOf(new Reads());
    for (let count = 0; count < 5; count++) feed.put(Buffer.alloc(64 * kibibyte));
    feed.drain();
    expect(taken()).toEqual(["end"]);
    expect(told.filter((what) => what === "resume")).toHaveLength(1);
    vi.advanceTimersByTime(ms);
    feed.end();
    vi.advanceTimersByTime(10_000);
    expect(told.filter((what) => what === "close")).toEqual(closed);
    expect([taken(), vi.getTimerCount()]).toEqual([["end"], 0]);
  });
});
