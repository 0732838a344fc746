/** What bots threw is kept for the newest runs alone, and for so many of a run's spans. */
import { expect, test, vi } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { FailureDetails } from "../../src/runs/failure-details.ts";
import { all, botDoing, caller, newRun } from "./run-bench.ts";

const failureOf = (cause?: unknown) => new LangwireError("BOT_FAILED", { cause });

function detailOf(details: FailureDetails, runId: string): string | undefined {
  const { code, message, retryable } = failureOf().toFailure();
  const error = { code, message, retryable };
  const at = new Date().toISOString();
  const entry = LogEntry.of(1, { type: "runEnd", runId, at, status: "failed", text: "", error });
  const { event, seq } = details.inEntry(entry);
  expect(seq).toBe(1);
  return event.type === "runEnd" ? event.error?.detail : undefined;
}

test("of 600 runs, the last 500", () => {
  const details = new FailureDetails();
  for (let run = 0; run < 600; run++) details.add({ runId: `${run}` }, { error: failureOf(run) });
  expect(detailOf(details, "99")).toBeUndefined();
  expect(detailOf(details, "100")).toBe("100 was thrown");
  expect(detailOf(details, "599")).toBe("599 was thrown");
});

test("of 1,000 spans, 100, and the run itself", () => {
  const details = new FailureDetails();
  for (let span = 0; span < 1_000; span++) {
    const failed = { id: `${span}`, source: "tool", name: "t" } as const;
    details.add({ runId: "run" }, { error: failureOf(span), span: failed });
  }
  details.add({ runId: "run" }, { error: failureOf("the end") });
  expect(detailOf(details, "run")).toBe("'the end' was thrown");
  const parts = Array.from({ length: 1_000 }, (_, span) => ({
    ...{ type: "tool", name: "t", toolCallId: `${span}`, spanId: `${span}`, state: "failed" },
    error: failureOf().toFailure(),
  })) as never[];
  const at = new Date().toISOString();
  const message = { runId: "run", role: "ai", text: "", at, messageId: "m", parts } as never;
  const shown = JSON.stringify(details.inMessage(message)).match(/"detail"/g) ?? [];
  expect(shown).toHaveLength(100);
});

test("nothing is made up where nothing was thrown", () => {
  const details = new FailureDetails();
  details.add({ runId: "run" }, { error: failureOf() });
  expect(detailOf(details, "run")).toBeUndefined();
  expect(detailOf(details, "another")).toBeUndefined();
});

test("whoever listens for what fails of bots is told until they have enough", async () => {
  const fails = botDoing(() => {
    throw new Error("broken");
  });
  await using langwire = await openLangwire({ bots: [fails], observer: {} });
  const [first, second] = [vi.fn(), vi.fn()];
  const endFirst = langwire.onBotFailure(first);
  langwire.onBotFailure(second);
  await all(await langwire.runs.send(caller, newRun()));
  const told = first.mock.calls.length;
  expect([told > 0, second.mock.calls.length]).toEqual([true, told]);
  endFirst();
  await all(await langwire.runs.send(caller, newRun()));
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([told, 2 * told]);
});
