/** Spans of runs in any order, of bots that end or are stopped: each ends once, with its run, and none begins after it. */
import { INVALID_SPAN_CONTEXT, type TracerProvider } from "@opentelemetry/api";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SpanEvent } from "../../src/bots/run/run-bot.ts";
import { traceRuns } from "../../src/server/metrics/tracing.ts";

function setUp({ sampled = true } = {}) {
  const spans: { name: string; ends: number }[] = [];
  const startSpan = (name: string) => {
    const span = { name, ends: 0 };
    spans.push(span);
    const spanContext = { ...INVALID_SPAN_CONTEXT };
    if (sampled) Object.assign(spanContext, { traceId: "1".repeat(32), spanId: "1".repeat(16) });
    const same = () => made;
    const made = {
      spanContext: () => spanContext,
      ...{ setAttribute: same, setAttributes: same, setStatus: same, addEvent: same },
      end: () => {
        span.ends += 1;
      },
    };
    return made;
  };
  const provider = { getTracer: () => ({ startSpan }) } as unknown as TracerProvider;
  return { spans, observer: traceRuns(provider) };
}

const runs = ["r1", "r2"];
const runId = fc.constantFrom(...runs);
const spanId = fc.constantFrom("a", "b", "c");
const type = fc.constantFrom(
  ...(["chainStart", "llmStart", "toolStart", "retrieverStart"] as const),
  ...(["chainEnd", "llmEnd", "toolEnd", "retrieverEnd", "error", "reset", "token"] as const),
);
const happening = fc.oneof(
  { weight: 2, arbitrary: fc.record({ starts: runId }) },
  { weight: 2, arbitrary: fc.record({ ends: runId }) },
  { weight: 8, arbitrary: fc.record({ of: runId, type, spanId }) },
);

/** Of any length up to that: without a size, of ten at most. */
const schedule = fc.array(happening, { maxLength: 40, size: "max" });

test("each ends once, and with its run", () => {
  const property = fc.property(schedule, (happenings) => {
    const { spans, observer } = setUp();
    /** By run in progress: which of its spans are open. */
    const open = new Map<string, Set<string>>();
    const ids = (id: string) => ({ runId: id, conversationId: "c", botId: "b" }) as never;
    for (const it of happenings) {
      if ("starts" in it) {
        if (open.has(it.starts)) continue;
        observer.runStarted?.(ids(it.starts));
        open.set(it.starts, new Set());
      } else if ("ends" in it) {
        observer.runEnded?.(ids(it.ends), { status: "completed", providerCalls: 0 } as never);
        open.delete(it.ends);
      } else {
        const isStart = it.type.endsWith("Start");
        // An id begins once.
        if (isStart && open.get(it.of)?.has(it.spanId)) continue;
        const event = { type: it.type, spanId: it.spanId, name: "x", at: "", code: "INTERNAL" };
        observer.spanEvent?.(ids(it.of), event as unknown as SpanEvent);
        if (isStart) open.get(it.of)?.add(it.spanId);
        else if (it.type.endsWith("End") || it.type === "error") open.get(it.of)?.delete(it.spanId);
      }
      const inProgress = [...open.values()].reduce((sum, { size }) => sum + 1 + size, 0);
      expect(spans.filter(({ ends }) => ends === 0)).toHaveLength(inProgress);
      expect(spans.every(({ ends }) => ends <= 1)).toBe(true);
    }
    for (const id of runs) observer.runEnded?.(ids(id), { status: "failed" } as never);
    expect(spans.every(({ ends }) => ends === 1)).toBe(true);
  });
  fc.assert(property, { numRuns: 300 });
});
