/** How often a typed bot's answer is told while a model writes it, and how much of it. */
import { expect, test } from "vitest";
import { beginOutput, PartialOutputs } from "../../src/bots/run/model/partial-outputs.ts";
import { payloadLimits } from "../../src/bots/run/payload.ts";
import { Span } from "../../src/bots/run/span-tree.ts";
import { type SpanEvent, SpanWriter } from "../../src/bots/run/span-writer.ts";

function write() {
  const told: unknown[] = [];
  const emit = (event: SpanEvent) => void (event.type === "output" && told.push(event.value));
  const writer = new SpanWriter({ runId: "r", expose: "none", emit });
  const outputs = new PartialOutputs(writer, { type: "object" });
  const written = beginOutput();
  const facts = { parent: undefined, taggedHidden: false, hidden: false, nostream: false };
  const span = new Span({ id: "m", kind: "llm", name: "m", agentName: undefined, ...facts });
  return {
    told,
    says: (text: string) => outputs.wrote(span, written, text),
    ends: () => outputs.ended(span, written),
  };
}

test("a value is told once for each value", () => {
  const { told, says, ends } = write();
  says('{"a": 1');
  says(`${" ".repeat(100)}}`);
  says(" ".repeat(100));
  ends();
  expect(told).toEqual([{ a: 1 }]);
});

test("a value is told to its end, however little came last", () => {
  const { told, says, ends } = write();
  says(`{"a": "${"x".repeat(1_000)}`);
  says('y"}');
  ends();
  expect(told.at(-1)).toEqual({ a: `${"x".repeat(1_000)}y` });
});

test("a value is told no more of once it is too long", () => {
  const { told, says, ends } = write();
  says(`{"a": "${"x".repeat(100)}`);
  says("y".repeat(10));
  says("z".repeat(payloadLimits.totalCharacters));
  ends();
  expect(told).toEqual([{ a: "x".repeat(100) }]);
});
