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
});
