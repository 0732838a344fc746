/** Observers of runs, whatever they do: a run goes on, its bot's code runs once, and each is told everything. */
import { Console } from "node:console";
import { Writable } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import { DefaultLog } from "../../src/runs/default-log.ts";
import { allOf, type RunObserver, shielded } from "../../src/runs/observer.ts";
import type { RunEnding } from "../../src/runs/run-events.ts";
import { logRuns, type RunLogger } from "../../src/runs/run-log.ts";
import type { Run } from "../../src/store/store.ts";

const run = { runId: "r", botId: "b", startedAt: new Date().toISOString() } as Run;
const ending: RunEnding = { status: "completed", text: "", providerCalls: 0 };
const failure = { error: new LangwireError("TOOL_FAILED") };
const stray = { botId: "b", runId: "r", kind: "rejection" as const, cause: undefined };

/** What each is told, by its name. */
const notices: Record<string, (observer: RunObserver) => void> = {
  runStarted: (observer) => observer.runStarted?.(run),
  spanEvent: (observer) => observer.spanEvent?.(run, {} as never),
  runEnded: (observer) => observer.runEnded?.(run, ending),
  botFailed: (observer) => observer.botFailed?.(run, failure),
  delivered: (observer) => observer.delivered?.(1),
  strayError: (observer) => observer.strayError?.(stray),
  failed: (observer) => observer.failed?.("what", "why"),
};

test.each(Object.keys(notices))(
  "one that throws at %s is reported, and the others are told",
  (name) => {
    const told: string[] = [];
    const broken = (): never => {
      throw new Error("broken");
    };
    const failed = vi.fn();
    const throwing = { failed, [name]: broken };
    const last = { [name]: () => void told.push(name) };
    for (const observer of [allOf([throwing, last]), allOf([throwing]), shielded(throwing)]) {
      notices[name]?.(observer);
    }
    expect(told).toEqual([name]);
    const reports = failed.mock.calls.filter(([what]) => what === "an observer of runs failed");
    // What reports cannot be reported itself.
    expect(reports).toHaveLength(name === "failed" ? 0 : 3);
  },
);

test("what nobody observes is absent, where the hot path asks", () => {
  for (const observer of [shielded({}), allOf([{}, {}])]) {
    expect([observer.spanEvent, observer.delivered]).toEqual([undefined, undefined]);
  }
  expect(allOf([{}, { delivered: () => {} }]).delivered).toBeDefined();
});

describe("a bot's code runs once", () => {
  const within: Record<string, RunObserver["withinRun"]> = {
    "calls it": (_run, code) => code(),
    "calls it twice": (_run, code) => {
      code();
      return code();
    },
    "never calls it": () => undefined as never,
    "throws before it": () => {
      throw new Error("broken");
    },
    "throws after it": (_run, code) => {
      code();
      throw new Error("broken");
    },
    "answers for it": (_run, code) => {
      code();
      return "another" as never;
    },
    "is not there": undefined,
  };

  test.each(Object.entries(within))("within an observer that %s", (_name, withinRun) => {
    for (const count of [1, 2]) {
      const observers = Array.from({ length: count }, () => ({ ...(withinRun && { withinRun }) }));
      const code = vi.fn(() => "answer");
      expect(allOf(observers).withinRun?.(run, code)).toBe("answer");
      expect(code).toHaveBeenCalledOnce();
      const failing = vi.fn(() => {
        throw new Error("the bot's own");
      });
      expect(() => allOf(observers).withinRun?.(run, failing)).toThrow("the bot's own");
      expect(failing).toHaveBeenCalledOnce();
    }
  });
});

describe("the log of runs", () => {
  function setUp(quotes?: boolean | (() => boolean)) {
    const lines: [string, object, string][] = [];
    const write = (level: string) => (fields: object, message: string) =>
      void lines.push([level, fields, message]);
    const logger: RunLogger = { info: write("info"), warn: write("warn"), error: write("error") };
    return { lines, observer: logRuns(logger, quotes === undefined ? {} : { quotes }) };
  }
  const cause = new Error("the prompt was: hello");

  test.each([
    [undefined, false],
    [false, false],
    [true, true],
    [() => false, false],
    [() => true, true],
  ])("has what providers say where quotes is %s: %s", (quotes, isQuoted) => {
    const { lines, observer } = setUp(quotes);
    const error = new LangwireError("PROVIDER_ERROR", { cause });
    observer.runEnded?.(run, { ...ending, status: "failed", error: error.toFailure(), cause });
    const [[level, fields, message] = []] = lines;
    expect([level, message]).toEqual(["warn", "run failed"]);
    expect(JSON.stringify(fields).includes("hello")).toBe(isQuoted);
  });

  test("says once that a tool failed, however many spans the error goes through, and nothing of models", () => {
    const { lines, observer } = setUp();
    const error = new LangwireError("TOOL_FAILED", { cause });
    const spanOf = (source: string, name: string) => ({ id: name, source, name }) as never;
    for (const [source, name] of [
      ["tool", "search"],
      ["tool", "agent"],
      ["llm", "m"],
      ["chain", "c"],
    ]) {
      observer.botFailed?.(run, { error, span: spanOf(source ?? "", name ?? "") });
    }
    observer.botFailed?.(run, { error });
    expect(lines.map(([, , message]) => message)).toEqual(["tool failed"]);
    observer.botFailed?.(run, { ...failure, span: spanOf("retriever", "docs") });
    expect(lines.map(([, , message]) => message)).toEqual(["tool failed", "retriever failed"]);
    expect(lines[1]?.[1]).toMatchObject({ retriever: "docs", code: "TOOL_FAILED" });
  });
});

test("what is said on the console for want of a logger begins no line of its own", () => {
  const said: string[] = [];
  using warned = vi.spyOn(console, "warn");
  using told = vi.spyOn(console, "error");
  for (const spy of [warned, told]) spy.mockImplementation((text) => void said.push(text));
  const log = new DefaultLog();
  const nasty = "a\r\n[langwire] all is well\u001b[2J";
  log.info({}, "nothing is said of this");
  log.warn({ code: "BOT_FAILED", botId: nasty, detail: `first\n${nasty}` }, nasty);
  log.error({ runId: "r" }, "plain");
  expect(said).toHaveLength(2);
  const lines = said.flatMap((text) => text.split("\n"));
  expect(lines.filter((line) => line.startsWith("[langwire]"))).toHaveLength(2);
  expect(lines.filter((line) => /[\p{Cc}\p{Cf}]/u.test(line))).toEqual([]);
  expect(lines.at(-1)).toBe("[langwire] plain: run r");
  const other = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  expect(log.quotes).toBe(true);
  log.use(other, { quotes: false });
  log.warn({}, "elsewhere");
  expect([said.length, other.warn.mock.calls.length, log.quotes]).toEqual([2, 1, false]);
});

test("to the console it writes lines: what happened, then its facts, and no field without a value", () => {
  const written: string[] = [];
  const out = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const observer = logRuns(new Console(out));
  observer.runEnded?.(
    { ...run, botId: "two words" },
    { ...ending, usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } },
  );
  const error = new LangwireError("BOT_FAILED").toFailure();
  const cause = new TypeError("not a function\u001b[31m");
  observer.runEnded?.(run, { ...ending, status: "failed", error, cause });
  expect(written[0]).toMatch(
    /^\[langwire\] run ended: bot two words, run r, status completed, durationMs \d+, usage \{"inputTokens":1,\S+\}, providerCalls 0\n$/,
  );
  expect(written[1]).toMatch(
    /^\[langwire\] run failed: BOT_FAILED, bot b, run r, status failed, durationMs \d+, providerCalls 0\n/,
  );
  expect(written[1]).toContain("\n  TypeError: not a function");
  expect(written[1]).not.toContain("\u001b");
  expect(written).toHaveLength(2);
});
