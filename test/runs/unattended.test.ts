/**
 * Answers of the store that were lost after it had done what it was asked. The store decides: a run
 * that it has in progress is worked on or ended, and how a run ended is told to everybody alike.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Bot } from "../../src/bots/bot.ts";
import { Catalogue } from "../../src/bots/catalogue.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Archiver } from "../../src/runs/archives/archiver.ts";
import { endUnattended } from "../../src/runs/lifecycle/unattended.ts";
import type { RunLimits } from "../../src/runs/limits.ts";
import { Runs } from "../../src/runs/runs.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { ShapedModel } from "../support/shaped-model.ts";
import {
  all,
  botDoing,
  botOf,
  botSaying,
  botWaiting,
  caller,
  newRun,
  types,
  upTo,
} from "./run-bench.ts";

type StoredRuns = Store["runs"];
type Faults = Partial<{ [Name in keyof StoredRuns]: (work: () => Promise<unknown>) => unknown }>;

const answerLost = async (work: () => Promise<unknown>): Promise<never> => {
  await work();
  throw new LangwireError("STORE_UNAVAILABLE");
};

async function start(bot: Bot, limits: Partial<RunLimits> = {}) {
  const stack = new AsyncDisposableStack();
  const store = stack.use(await openSqliteStore({ path: ":memory:" }));
  const log = stack.use(new MemoryLog());
  const faults: Faults = {};
  const faulty: Store = {
    ...store,
    runs: new Proxy(store.runs, {
      get(runs, name: keyof StoredRuns) {
        const method = runs[name].bind(runs) as (...args: unknown[]) => Promise<unknown>;
        return (...args: unknown[]) => {
          const work = () => method(...args);
          return faults[name]?.(work) ?? work();
        };
      },
    }),
  };
  const bots = new Catalogue([bot]);
  const options = { bots, log, store: faulty, limits: { reconcileMs: 50, ...limits } };
  const runs = stack.use(await Runs.start(options));
  return { runs, store, log, faults, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe("a claim whose answer is lost", () => {
  test("is begun by whoever sends it again, once", async () => {
    let begun = 0;
    const bot = botDoing(() => {
      begun += 1;
      return "hello";
    });
    await using s = await start(bot, { reconcileMs: 60_000 });
    const run = newRun();
    s.faults.claim = answerLost;
    await expect(s.runs.send(caller, run)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await s.store.runs.get(run.runId, caller.userId)).toMatchObject({ status: "running" });
    delete s.faults.claim;
    await expect.poll(() => s.runs.storeAway).toBe(false);
    const [one, two] = await Promise.all([s.runs.send(caller, run), s.runs.send(caller, run)]);
    const [first, second] = [await all(one), await all(two)];
    expect(first.at(-1)?.event).toMatchObject({ status: "completed", text: "hello" });
    expect(second.map(({ json }) => json)).toEqual(first.map(({ json }) => json));
    expect(begun).toBe(1);
  });

  test("is ended when nobody sends it again, and its conversation is free", async () => {
    // Sooner than all runs are compared with the store's.
    await using s = await start(botSaying({ tokens: ["hello"] }), { reconcileMs: 3_600_000 });
    const run = newRun();
    s.faults.claim = answerLost;
    await expect(s.runs.send(caller, run)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    delete s.faults.claim;
    await expect
      .poll(() => s.store.runs.get(run.runId, caller.userId))
      .toMatchObject({ status: "failed", error: { code: "STORE_UNAVAILABLE" } });
    await expect.poll(() => s.runs.storeAway).toBe(false);
    const next = newRun({ conversationId: run.conversationId });
    const entries = await all(await s.runs.send(caller, next));
    expect(entries.at(-1)?.event).toMatchObject({ status: "completed", text: "hello" });
  });

  test("can be cancelled, and interrupted by the next message", async () => {
    for (const how of ["cancel", "interrupt"] as const) {
      await using s = await start(botSaying({ tokens: ["hello"] }), { reconcileMs: 60_000 });
      const run = newRun();
      s.faults.claim = answerLost;
      await expect(s.runs.send(caller, run)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      delete s.faults.claim;
      await expect.poll(() => s.runs.storeAway).toBe(false);
      if (how === "cancel") {
        expect(await s.runs.cancel(caller, run.runId)).toMatchObject({ status: "failed" });
        continue;
      }
      const next = newRun({ conversationId: run.conversationId, ifBusy: "interrupt" });
      const entries = await all(await s.runs.send(caller, next));
      expect(entries.at(-1)?.event).toMatchObject({ status: "completed" });
    }
  });

  test("leaves runs alone that are being begun, that go on, and that have just ended", async () => {
    const gate = Promise.withResolvers<void>();
    await using s = await start(botWaiting(gate.promise), { reconcileMs: 1 });
    const followers = await Promise.all(
      Array.from({ length: 20 }, () => s.runs.send(caller, newRun())),
    );
    for (const follower of followers) await upTo(follower, "token");
    gate.resolve();
    for (const follower of followers) {
      expect((await all(follower)).at(-1)?.event).toMatchObject({ status: "completed" });
    }
  });
});

test("a run that the store has no more is stopped: its deletion was answered to nobody", async () => {
  const stopped = Promise.withResolvers<void>();
  const bot = botDoing((signal) => {
    signal?.addEventListener("abort", () => stopped.resolve());
    return new Promise(() => {});
  });
  await using s = await start(bot);
  const run = newRun();
  await s.runs.send(caller, run);
  await s.store.conversations.delete(run.conversationId, caller.userId);
  await stopped.promise;
  await expect.poll(() => s.runs.live.size).toBe(0);
});

describe("an ending", () => {
  test("has the same text for readers and the store, also where a database cannot hold it", async () => {
    await using s = await start(botDoing(() => "cut \uD83D and \0"));
    const run = newRun();
    const entries = await all(await s.runs.send(caller, run));
    const text = "cut \uFFFD and \uFFFD";
    expect(entries.at(-1)?.event).toMatchObject({ status: "completed", text });
    expect(await s.store.runs.get(run.runId, caller.userId)).toMatchObject({ text });
  });

  test("whose answer is lost is the same for readers and the store", async () => {
    await using s = await start(botSaying({ tokens: ["hello"] }), { storeTimeoutMs: 50 });
    s.faults.finish = answerLost;
    const run = newRun();
    const entries = await all(await s.runs.send(caller, run));
    expect(entries.at(-1)?.event).toMatchObject({ status: "completed", text: "hello" });
    expect(await s.store.runs.get(run.runId, caller.userId)).toMatchObject({
      status: "completed",
      text: "hello",
    });
  });

  test("that the store did not take in time is told, and is written when it is back", async () => {
    await using s = await start(botSaying({ tokens: ["hello"] }), { storeTimeoutMs: 50 });
    s.faults.finish = () => Promise.reject(new LangwireError("STORE_UNAVAILABLE"));
    const run = newRun();
    const entries = await all(await s.runs.send(caller, run));
    expect(entries.at(-1)?.event).toMatchObject({ status: "completed", text: "hello" });
    expect(await s.store.runs.get(run.runId, caller.userId)).toMatchObject({ status: "running" });
    delete s.faults.finish;
    await expect
      .poll(() => s.store.runs.get(run.runId, caller.userId))
      .toMatchObject({ status: "completed", text: "hello" });
  });

  test("that the store refuses fails its own run, and holds up nobody", async () => {
    await using s = await start(botSaying({ tokens: ["hello"] }));
    let refused = 0;
    s.faults.finish = (work) => {
      // Once with all that it has, and once without parts and events.
      if (refused++ > 1) return work();
      return Promise.reject(new Error("check constraint"));
    };
    const run = newRun();
    const entries = await all(await s.runs.send(caller, run));
    expect(entries.at(-1)?.event).toMatchObject({ status: "failed", error: { code: "INTERNAL" } });
    expect(await s.store.runs.get(run.runId, caller.userId)).toMatchObject({ status: "failed" });
    expect(s.runs.storeAway).toBe(false);
    const next = await all(await s.runs.send(caller, newRun(run)));
    expect(next.at(-1)?.event).toMatchObject({ status: "failed" });
    const other = await all(await s.runs.send(caller, newRun()));
    expect(other.at(-1)?.event).toMatchObject({ status: "completed" });
  });
});

describe("what a message is made of", () => {
  const pieces = [
    { message: { additional_kwargs: { reasoning_content: "Hm." } } },
    { message: { content: "hello" }, info: { finish_reason: "stop" } },
  ];
  const thinking = () => botOf(new ShapedModel({ provider: "openai", calls: [pieces] }));
  const partsOf = async ({ store }: { store: Store }, conversationId: string) => {
    const { items } = await store.conversations.messages(conversationId, { limit: 9 });
    return items.at(-1)?.parts;
  };

  test("is stored with the ending; where the store refuses it, the ending is stored without", async () => {
    await using s = await start(thinking());
    const run = newRun();
    await all(await s.runs.send(caller, run));
    expect(await partsOf(s, run.conversationId)).toMatchObject([
      { type: "reasoning", text: "Hm." },
      { type: "text", text: "hello", final: true },
    ]);
    let refused = 0;
    s.faults.finish = (work) => {
      if (refused++ > 0) return work();
      return Promise.reject(new Error("too long"));
    };
    const other = newRun();
    const entries = await all(await s.runs.send(caller, other));
    expect(entries.at(-1)?.event).toMatchObject({ status: "completed", text: "hello" });
    expect(await partsOf(s, other.conversationId)).toEqual([
      { type: "text", text: "hello", final: true },
    ]);
  });

  test("is stored by whoever ends a run for a process that is gone", async () => {
    await using s = await start(thinking());
    const { runId, conversationId, botId, message } = newRun();
    const claim = { runId, conversationId, botId, message, userId: caller.userId };
    const { outcome, ...claimed } = await s.store.runs.claim(claim);
    if (outcome !== "claimed" || !("run" in claimed)) throw new Error(outcome);
    const { run } = claimed;
    const at = run.startedAt;
    const writer = await s.log.open({ conversationId, runId, after: run.firstSeq - 1 });
    const inSpan = { runId, spanId: "t" };
    writer.append({ type: "runStart", ...claim, at });
    writer.append({ type: "reasoning", runId, spanId: "m", text: "Hm." });
    writer.append({ type: "token", runId, spanId: "m", text: "hel" });
    writer.append({ type: "toolStart", ...inSpan, at, name: "clock", input: {} });
    await writer.flushed();
    await endUnattended(run, {
      store: s.store,
      observer: {},
      open: () => writer,
      read: (after) => s.log.read(conversationId, after),
      error: new LangwireError("OWNER_LOST"),
      archiver: new Archiver({ keepEventsMs: 1, observer: {} }),
    });
    const { items } = await s.store.conversations.messages(conversationId, { limit: 9 });
    expect(items.at(-1)).toMatchObject({
      ...{ text: "hel", status: "failed", error: { code: "OWNER_LOST" } },
      parts: [
        { type: "reasoning", text: "Hm.", spanId: "m" },
        { type: "text", text: "hel", final: true },
        { type: "tool", name: "clock", spanId: "t", state: "stopped", input: {} },
      ],
    });
  });
});

test("a run whose events the store refuses ends as it would have, and stays in the log", async () => {
  await using s = await start(botSaying({ tokens: ["hello"] }));
  let refused = 0;
  s.faults.finish = (work) => {
    if (refused++ > 0) return work();
    return Promise.reject(new Error("value too large"));
  };
  const run = newRun();
  const entries = await all(await s.runs.send(caller, run));
  expect(entries.at(-1)?.event).toMatchObject({ status: "completed", text: "hello" });
  expect(await s.store.archives.get(run.runId)).toEqual([]);
  const again = await s.runs.follow(caller, { runId: run.runId });
  expect(await all(again)).toEqual(entries);
});

describe("after a restart", () => {
  test("an ending that readers were told is what the store gets", async () => {
    const path = await mkdtemp(join(tmpdir(), "langwire-"));
    await using _folder = { [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
    const run = newRun();
    const bots = [botSaying({ tokens: ["hello"] })];
    const options = { bots, dataDir: path, runLimits: { storeTimeoutMs: 50 } };
    {
      await using langwire = await openLangwire(options);
      langwire.store.runs.finish = () => Promise.reject(new LangwireError("STORE_UNAVAILABLE"));
      const entries = await all(await langwire.runs.send(caller, run));
      expect(entries.at(-1)?.event).toMatchObject({ status: "completed", text: "hello" });
    }
    await using langwire = await openLangwire(options);
    expect(await langwire.store.runs.get(run.runId, caller.userId)).toMatchObject({
      status: "completed",
      text: "hello",
    });
    const entries = await all(await langwire.runs.send(caller, run));
    expect(types(entries).filter((type) => type === "runEnd")).toHaveLength(1);
  });

  test("numbers that readers may have seen are not given out again", async () => {
    await using store = await openSqliteStore({ path: ":memory:" });
    const run = newRun();
    await store.runs.claim({ ...run, userId: caller.userId });
    // Nothing is left of what the process before it told its readers.
    await using log = new MemoryLog();
    const bots = new Catalogue([botSaying({ tokens: ["hello"] })]);
    await using runs = await Runs.start({ bots, store, log });
    const ended = await store.runs.get(run.runId, caller.userId);
    expect(ended?.endSeq).toBeGreaterThan(1_000_000);
    const next = newRun({ conversationId: run.conversationId });
    const [first] = await all(await runs.send(caller, next));
    expect(first?.seq).toBe((ended?.endSeq ?? 0) + 1);
    // Whoever comes back with an old number misses nothing of the new run.
    const input = { conversationId: run.conversationId, lastEventId: "40" };
    const seen = await upTo(await runs.watch(caller, input), "runEnd");
    expect(seen.at(-1)?.event).toMatchObject({ runId: run.runId, type: "runEnd" });
  });
});
