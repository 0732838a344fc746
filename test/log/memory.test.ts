import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryLog } from "../../src/log/memory-log.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { describeLog } from "./log-contract.ts";

describeLog("memory", async (bounds) => new MemoryLog({ bounds }));

describe("what is appended in one turn of the event loop", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function start() {
    const log = new MemoryLog();
    const [conversationId, runId] = [randomUUID(), randomUUID()];
    const writer = log.open({ conversationId, runId, after: 0 });
    let spans = 0;
    const append = () => {
      const event: ChatEvent = { type: "token", runId, spanId: `${spans++}`, text: "x" };
      writer.append(event);
    };
    return {
      log,
      conversationId,
      writer,
      append,
      readable: () => log.read(conversationId, 0).entries.length,
    };
  }

  test("is readable together when the turn is over", async () => {
    const { append, readable, writer } = start();
    append();
    append();
    const flushed = writer.flushed();
    await Promise.resolve();
    expect(readable()).toBe(0);
    await flushed;
    expect(readable()).toBe(2);
  });

  test("is readable within it once the first of it is old: LangChain may not give the turn back", () => {
    const { append, readable } = start();
    append();
    vi.advanceTimersByTime(10);
    append();
    expect(readable()).toBe(0);
    vi.advanceTimersByTime(1);
    append();
    expect(readable()).toBe(3);
    // The age is that of the group, and not of the log.
    append();
    expect(readable()).toBe(3);
  });

  test.each(["close", "abandon"] as const)(
    "is forgotten with its conversation, and what its run writes until it does %s",
    async (how) => {
      const { log, conversationId, append, readable, writer } = start();
      append();
      await writer.flushed();
      const forgotten = log.forget([{ conversationId }]);
      append();
      await writer.flushed();
      expect(readable()).toBe(2);
      append();
      writer[how]();
      await forgotten;
      await writer.flushed();
      expect([readable(), log.bytes]).toEqual([0, 0]);
    },
  );

  test("stays where only what was before it is forgotten, however far that is said to go", async () => {
    const { log, conversationId, append, readable, writer } = start();
    append();
    await writer.flushed();
    append();
    // As where a run's end is in the store, and not in the log yet.
    await log.forget([{ conversationId, through: 9 }]);
    await writer.flushed();
    expect(log.read(conversationId, 0)).toMatchObject({ oldest: 2, entries: [{ seq: 2 }] });
    expect(readable()).toBe(1);
  });

  test("is told in nobody's own context: what goes wrong with it is nobody's fault who wrote", async () => {
    const { log, conversationId, append, writer } = start();
    const bot = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    log.subscribe(conversationId, () => seen.push(bot.getStore()));
    bot.run("first", append);
    await writer.flushed();
    bot.run("first", append);
    vi.advanceTimersByTime(11);
    // The group is old: it ends at once.
    bot.run("second", append);
    expect(seen).toEqual([undefined, undefined]);
  });

  test("is readable when the log is closed, which leaves no timer behind", async () => {
    const { log, append, readable, writer } = start();
    append();
    writer.close();
    expect(vi.getTimerCount()).toBe(1);
    await log[Symbol.asyncDispose]();
    expect(readable()).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a conversation of which there is nothing", () => {
  const [conversationId, runId] = ["c", "r"];
  /** What an entry takes besides its JSON. */
  const entryOverheadBytes = 128;
  const event = (name: string): ChatEvent => ({ type: "custom", runId, spanId: "s", name });

  test("is kept for the run that is about to write, though its reader leaves", async () => {
    await using log = new MemoryLog();
    const writer = log.open({ conversationId, runId, after: 0 });
    log.subscribe(conversationId, () => {})();
    writer.append(event("a"));
    await writer.flushed();
    expect(log.read(conversationId, 0).entries).toHaveLength(1);
  });

  test("is kept for its readers, who are told of the next run", async () => {
    await using log = new MemoryLog();
    const told: number[] = [];
    log.subscribe(conversationId, () => told.push(log.read(conversationId, 0).entries.length));
    for (const after of [0, 1]) {
      const writer = log.open({ conversationId, runId, after });
      writer.append(event("a"));
      await writer.flushed();
      writer.close();
      await log.forget([{ conversationId }]);
    }
    expect(told).toEqual([1, 0, 1, 0]);
  });

  test("but a gap behind what was is held as nothing", async () => {
    await using log = new MemoryLog();
    for (const after of [0, 9]) {
      const writer = log.open({ conversationId, runId, after });
      writer.append(event("a"));
      await writer.flushed();
      writer.close();
      expect(log.read(conversationId, 0)).toMatchObject({ oldest: after + 1, isLast: true });
    }
    const [entry] = log.read(conversationId, 0).entries;
    expect(log.bytes).toBe((entry?.bytes ?? 0) + entryOverheadBytes);
  });
});
