/** The order of runs, in whichever order they are heard of. */
import { expect, test } from "vitest";
import { Turns } from "../../client/src/react/turns.ts";

test("a refused message stays below the newest run, though an older one was heard of after that", () => {
  const turns = new Turns();
  const begins = (runId: string, seq: number) => {
    const start = { conversationId: "c", botId: "b", userId: "u", message: runId };
    turns.add({ type: "runStart", runId, at: "2026-01-01T00:00:00.000Z", ...start }, seq);
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
