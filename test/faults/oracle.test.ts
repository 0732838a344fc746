/** The judge itself: it must find what fault tests look for. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { ChatEvent } from "../../src/protocol/events.ts";
import type { Received } from "../support/stock-client.ts";
import { judge, type RunLedger, Violation } from "./oracle.ts";

const runId = randomUUID();
const spanId = randomUUID();
const at = new Date(0).toISOString();

const token = (text: string): ChatEvent => ({ type: "token", runId, spanId, text });
const end: ChatEvent = { type: "runEnd", runId, at, status: "completed", text: "abc" };
const events: readonly ChatEvent[] = [
  {
    type: "runStart",
    runId,
    at,
    conversationId: randomUUID(),
    botId: "test",
    userId: "ann",
    message: "hello",
  },
  { type: "llmStart", runId, spanId, at, name: "model" },
  token("a"),
  token("b"),
  token("c"),
  { type: "llmEnd", runId, spanId, at },
  end,
];

const log: readonly Received[] = events.map((event, index) => ({ id: String(index + 1), event }));
const at3 = log.slice(0, 2);
const tail = log.slice(5);

function ledger(reader: readonly Received[], changes: Partial<RunLedger> = {}): RunLedger {
  return { runId, log, readers: { reader }, provider: { calls: 1, text: "abc" }, ...changes };
}

test.each<[string, readonly Received[]]>([
  ["as the log has it", log],
  ["tokens merged", [...at3, { id: "5", event: token("abc") }, ...tail]],
  [
    "some of them",
    [...at3, { id: "3", event: token("a") }, { id: "5", event: token("bc") }, ...tail],
  ],
])("lets pass: %s", (_name, reader) => {
  expect(judge(ledger(reader))).toEqual(end);
});

test.each<[string, RunLedger]>([
  ["an event missing", ledger(log.filter(({ id }) => id !== "6"))],
  ["a token missing", ledger(log.filter(({ id }) => id !== "4"))],
  ["a token twice", ledger([...log.slice(0, 4), ...log.slice(3)])],
  ["the end twice", ledger([...log, ...log.slice(-1)])],
  ["no end", ledger(log.slice(0, -1))],
  ["another order", ledger([...at3, ...[...log.slice(2, 5)].reverse(), ...tail])],
  ["another text", ledger(log, { provider: { calls: 1, text: "abd" } })],
  ["two calls", ledger(log, { provider: { calls: 2, text: "abc" } })],
  ["no call", ledger(log, { provider: { calls: 0, text: "abc" } })],
  ["a gap in the log", ledger([], { log: log.filter(({ id }) => id !== "2"), readers: {} })],
])("finds: %s", (_name, wrong) => {
  expect(() => judge(wrong)).toThrow(wrong.log.length === log.length ? Violation : Error);
});
