/** The order of runs, in whichever order they are heard of. */
import { expect, test } from "vitest";
import { Turns } from "../../client/src/react/turns.ts";

const at = "2026-01-01T00:00:00.000Z";

test("a run that is over is over, whatever is heard of it later", () => {
  const turns = new Turns();
  const runId = "r";
  const start = { conversationId: "c", botId: "b", userId: "u", message: "hi" };
  turns.add({ type: "runStart", runId, at, ...start }, 1);
  turns.add({ type: "token", runId, spanId: "s", text: "Hello" }, 2);
  turns.add({ type: "runEnd", runId, at, status: "completed", text: "Hello" }, 3);
  const { messages } = turns;
  // As when what was sent is accepted only after the watch has brought all of it.
  turns.add({ type: "runStart", runId, at, ...start }, 1);
  turns.add({ type: "token", runId, spanId: "s", text: "Hello" }, 2);
  for (const [index, message] of turns.messages.entries()) expect(message).toBe(messages[index]);
  expect(turns.unfinished).toBeUndefined();
});

test("a refused message stays below the newest run, though an older one was heard of after that", () => {
  const turns = new Turns();
  const begins = (runId: string, seq: number) => {
    const start = { conversationId: "c", botId: "b", userId: "u", message: runId };
    turns.add({ type: "runStart", runId, at, ...start }, seq);
  };
  begins("second", 20);
  begins("first", 10);
  turns.send("refused", "refused");
  turns.refuse("refused", { code: "BAD_INPUT", message: "No.", retryable: false });
  begins("third", 30);
  turns.send("sending", "sending");
  const humans = turns.messages.filter(({ role }) => role === "human");
  expect(humans.map(({ text }) => text)).toEqual([
    "first",
    "second",
    "refused",
    "third",
    "sending",
  ]);
  turns.delete("refused");
  expect(turns.messages.map(({ runId }) => runId)).not.toContain("refused");
});

test("a refusal is kept with the wait that it asks for, and an answer has the time of its end", () => {
  const turns = new Turns();
  const [runId, beganAt] = ["r", "2025-12-31T23:59:00.000Z"];
  const error = { code: "OVERLOADED", message: "No.", retryable: true, retryAfterMs: 700 } as const;
  turns.send("refused", "Hi");
  turns.refuse("refused", { ...error, detail: "Error: full" });
  expect(turns.messages).toMatchObject([{ error: { ...error, detail: "Error: full" } }]);
  const start = { conversationId: "c", botId: "b", userId: "u", message: "Hi" };
  turns.add({ type: "runStart", runId, at: beganAt, ...start }, 1);
  const times = () => turns.messages.filter((one) => one.runId === runId).map(({ at }) => at);
  expect(times()).toEqual([beganAt, beganAt]);
  turns.add({ type: "runEnd", runId, at, status: "completed", text: "Hello" }, 2);
  expect(times()).toEqual([beganAt, at]);
});
