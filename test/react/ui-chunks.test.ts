/**
 * What the AI SDK makes of a run's chunks, beside the fold: whatever models say, at the same time, one
 * after another, void or not, and from wherever a reader comes, the message has each text once.
 */
import { readUIMessageStream } from "ai";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type LangwireChunk,
  type LangwireUIMessage,
  UiChunks,
} from "../../client/src/ai-sdk/ui-chunks.ts";
import type { ChatEvent } from "../../client/src/types.ts";
import { RunFold } from "../../src/protocol/fold/run-fold.ts";

const runId = "r";
const at = "2026-01-01T00:00:00.000Z";
const inSpan = (spanId: string) => ({ runId, spanId });

type Step = "start" | "token" | "reasoning" | "fail" | "void" | "end";
const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step>(
      ...(["start", "start", "token", "token", "token", "reasoning"] as const),
      ...(["fail", "void", "end"] as const),
    ),
    fc.nat({ max: 3 }),
  ),
  { maxLength: 25, size: "max" },
);

/** Events in an order that the server gives: what a model said that failed is void before the next begins. */
function eventsOf(script: readonly (readonly [Step, number])[]): ChatEvent[] {
  const events: ChatEvent[] = [];
  const open: string[] = [];
  let count = 0;
  const close = (index: number) => open.splice(index, 1)[0] ?? expect.fail();
  for (const [step, place] of script) {
    const index = place % Math.max(1, open.length);
    const spanId = open[index];
    if (step === "start") {
      open.push(`s${++count}`);
      events.push({ type: "llmStart", ...inSpan(`s${count}`), at, name: "model" });
    }
    if (spanId === undefined) continue;
    const text = `${spanId}:${++count} `;
    if (step === "token") events.push({ type: "token", ...inSpan(spanId), text });
    if (step === "reasoning") events.push({ type: "reasoning", ...inSpan(spanId), text });
    // Of a call that a retry made void in the middle, which goes on.
    if (step === "void") events.push({ type: "reset", ...inSpan(spanId) });
    if (step === "end") events.push({ type: "llmEnd", ...inSpan(close(index)), at });
    if (step !== "fail") continue;
    const failure = { code: "PROVIDER_ERROR", message: "It broke.", retryable: true } as const;
    close(index);
    events.push({ type: "error", ...inSpan(spanId), at, source: "llm", ...failure });
    events.push({ type: "reset", ...inSpan(spanId) });
  }
  for (const spanId of open) events.push({ type: "llmEnd", ...inSpan(spanId), at });
  return events;
}

async function messageOf(events: readonly ChatEvent[]): Promise<LangwireUIMessage> {
  const chunks = new UiChunks();
  const all = events.flatMap((event) => chunks.add(event));
  const stream = ReadableStream.from(all) as ReadableStream<LangwireChunk>;
  let message: LangwireUIMessage | undefined;
  const failures: unknown[] = [];
  for await (const one of readUIMessageStream<LangwireUIMessage>({
    stream,
    onError: (cause) => failures.push(cause),
  })) {
    message = one;
  }
  expect(failures).toEqual([]);
  return message ?? expect.fail("no message");
}

function textsOf({ parts }: LangwireUIMessage, type: "text" | "reasoning"): string[] {
  return parts.flatMap((part) => (part.type === type ? [part.text] : []));
}

test("each text and each reasoning is in the message once, and what is void is not", async () => {
  const property = fc.asyncProperty(steps, fc.boolean(), async (script, said) => {
    const start: ChatEvent = {
      ...{ type: "runStart", runId, at, conversationId: "c", botId: "b", userId: "u" },
      message: "m",
    };
    const fold = new RunFold();
    const middle = eventsOf(script);
    for (const event of middle) fold.add(event);
    const text = said ? fold.text : "Something else.";
    const end: ChatEvent = { type: "runEnd", runId, at, status: "completed", text };
    const message = await messageOf([start, ...middle, end]);
    expect(message.metadata).toMatchObject({ runId, status: "completed" });
    const whole = said ? [] : [text];
    // A fold of its own that ends with what nobody said: so all that was said says whose it is.
    const other = new RunFold();
    for (const event of middle) other.add(event);
    other.add({ type: "runEnd", runId, at, status: "completed", text: "Nobody's." });
    const texts = new Map(other.steps.map((one) => [one.spanId, one.text]));
    expect(textsOf(message, "text").sort()).toEqual([...texts.values(), ...whole].sort());
    const reasoned = fold.reasoning.map((one) => one.text);
    expect(textsOf(message, "reasoning").sort()).toEqual(reasoned.sort());
    for (const part of message.parts) if ("state" in part) expect(part.state).toBe("done");
  });
  await fc.assert(property, { numRuns: 300 });
});

test("who comes when only the start and the end are left gets the whole text", async () => {
  const start: ChatEvent = {
    ...{ type: "runStart", runId, at, conversationId: "c", botId: "b", userId: "u" },
    message: "m",
  };
  const end: ChatEvent = { type: "runEnd", runId, at, status: "completed", text: "All of it." };
  expect(textsOf(await messageOf([start, end]), "text")).toEqual(["All of it."]);
});

test("models that speak at the same time share a step, and one after them begins another", () => {
  const chunks = new UiChunks();
  const model = (spanId: string): ChatEvent => ({
    ...{ type: "llmStart", ...inSpan(spanId), at, name: "model" },
  });
  const types = (event: ChatEvent) => chunks.add(event).map(({ type }) => type);
  expect(types(model("a"))).toEqual(["start-step"]);
  expect(types(model("b"))).toEqual([]);
  expect(types({ type: "token", ...inSpan("a"), text: "x" })).toEqual(["text-start", "text-delta"]);
  expect(types({ type: "llmEnd", ...inSpan("a"), at })).toEqual(["text-end"]);
  expect(types(model("c"))).toEqual([]);
  for (const spanId of ["b", "c"]) chunks.add({ type: "llmEnd", ...inSpan(spanId), at });
  expect(types(model("d"))).toEqual(["finish-step", "start-step"]);
});
