/**
 * What the AI SDK makes of a run's chunks: the message that is read from the history later, whatever models
 * say and tools do, at the same time, one after another, void or not.
 */
import { readUIMessageStream } from "ai";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type LangwireChunk,
  type LangwireUIMessage,
  UiChunks,
} from "../../client/src/ai-sdk/ui-chunks.ts";
import { toUIMessages } from "../../client/src/ai-sdk/ui-messages.ts";
import type { ChatEvent, EventOf, Message } from "../../client/src/types.ts";
import { RunFold } from "../../src/protocol/fold/run-fold.ts";
import { foldVectors } from "../protocol/fold-vectors.ts";
import { partVectors } from "../protocol/part-vectors.ts";

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

const start: ChatEvent = {
  ...{ type: "runStart", runId, at, conversationId: "c", botId: "b", userId: "u" },
  message: "m",
};

/** As it is kept, and given to `useChat` when a page is loaded again. */
function keptOf(events: readonly ChatEvent[]): LangwireUIMessage {
  const fold = new RunFold();
  for (const event of events) fold.add(event);
  const { text, usage, output, status } = fold.end ?? expect.fail("it goes on");
  const parts = JSON.parse(JSON.stringify(fold.parts)) as Message["parts"];
  const message = {
    runId,
    role: "ai",
    position: 2,
    at,
    text,
    parts,
    status,
    usage,
    output,
  } as const;
  return toUIMessages([message])[0] ?? expect.fail("no message");
}

async function expectSame(events: readonly ChatEvent[]): Promise<LangwireUIMessage> {
  const message = await messageOf(events);
  expect(message).toEqual(keptOf(events));
  return message;
}

test("whatever models say, the message is the one that the history gives", async () => {
  const property = fc.asyncProperty(steps, fc.boolean(), async (script, said) => {
    const fold = new RunFold();
    const middle = eventsOf(script);
    for (const event of middle) fold.add(event);
    const text = said ? fold.text : "Something else.";
    const end: ChatEvent = { type: "runEnd", runId, at, status: "completed", text };
    const message = await expectSame([start, ...middle, end]);
    expect(message.metadata).toMatchObject({ runId, status: "completed" });
  });
  await fc.assert(property, { numRuns: 300 });
});

const vectors = [...partVectors, ...foldVectors].map((vector) => {
  const middle = vector.events.filter(({ type }) => type !== "runStart" && type !== "runEnd");
  const { text } = (vector.events.find(({ type }) => type === "runEnd") as EventOf<"runEnd">) ?? {
    text: "Noon.",
  };
  return [vector.name, middle, text] as const;
});
test.each(vectors)("%s: the same live and from the history", async (_name, middle, text) => {
  for (const status of ["completed", "failed"] as const) {
    const end: ChatEvent = { type: "runEnd", runId, at, status, text };
    const events = [start, ...middle, end].map((event) => ({ ...event, runId }));
    await expectSame(events);
  }
});

test("a call is streamed while it is written, and its tool goes on from there", () => {
  const chunks = new UiChunks();
  const call = { toolCallId: "1" };
  const told = (event: ChatEvent) => chunks.add(event);
  const writes = (more: object): ChatEvent => ({
    type: "toolInput",
    ...inSpan("m"),
    ...call,
    ...more,
  });
  expect(told(writes({ name: "search", text: '{"q"' }))).toMatchObject([
    { type: "tool-input-start", ...call, toolName: "search", dynamic: true },
    { type: "tool-input-delta", ...call, inputTextDelta: '{"q"' },
  ]);
  expect(told(writes({ text: ":1}" }))).toEqual([
    { type: "tool-input-delta", ...call, inputTextDelta: ":1}" },
  ]);
  const begins: ChatEvent = { type: "toolStart", ...inSpan("t"), at, name: "search", ...call };
  expect(told({ ...begins, input: { q: 1 } })).toMatchObject([
    { type: "tool-input-available", ...call, input: { q: 1 } },
  ]);
  expect(told({ type: "toolEnd", ...inSpan("t"), at, output: "Soda." })).toMatchObject([
    { type: "tool-output-available", ...call, output: "Soda." },
  ]);
});

test("pieces of texts are handed on one by one, also where two models speak in turns", () => {
  const chunks = new UiChunks();
  const says = (spanId: string, text: string) =>
    chunks.add({ type: "token", ...inSpan(spanId), text }).map(({ type }) => type);
  for (const spanId of ["a", "b"])
    chunks.add({ type: "llmStart", ...inSpan(spanId), at, name: "m" });
  expect(says("a", "One")).toEqual(["text-start", "text-delta"]);
  expect(says("b", "Two")).toEqual(["text-start", "text-delta"]);
  for (const spanId of ["a", "b", "b", "a"]) expect(says(spanId, ".")).toEqual(["text-delta"]);
  chunks.add({ type: "llmEnd", ...inSpan("a"), at });
  const ended = chunks.add({ type: "llmEnd", ...inSpan("b"), at });
  expect(ended.map(({ type }) => type)).toEqual(["text-end", "text-end"]);
});

test("what a person gave is a text, or to a typed bot a value", () => {
  const given = { runId, role: "human", position: 1, at, userId: "u" } as const;
  const input = { type: "data", name: "input", value: { page: 1 }, origin: "input" } as const;
  const [written, typed] = toUIMessages([
    { ...given, text: "Hi" },
    { ...given, text: '{"page":1}', parts: [input] },
  ]);
  expect(written).toMatchObject({ id: `${runId}/human`, parts: [{ type: "text", text: "Hi" }] });
  expect(typed?.parts).toEqual([{ type: "data-input", data: { page: 1 } }]);
});

test("a page that is quoted twice is one source; what has no address is one each time", () => {
  const source = (url?: string) => ({ type: "source", ...(url && { url }), title: "t" }) as const;
  const parts = [source("https://a"), source(), source("https://b"), source("https://a"), source()];
  const message = { runId, role: "ai", text: "", at, position: 1, status: "completed", parts };
  const [made] = toUIMessages([message as unknown as Message]);
  expect(made?.parts.slice(1).map((part) => ("url" in part ? part.url : part.type))).toEqual([
    ...["https://a", "source-document", "https://b", "source-document"],
  ]);
});

test.each([
  ["completed", [{ type: "finish", finishReason: "stop" }]],
  ["cancelled", [{ type: "message-metadata" }, { type: "abort" }]],
  ["failed", [{ type: "message-metadata" }]],
] as const)("a run that has %s says so, and how", (status, chunks) => {
  const usage = { outputTokens: 2 };
  const end = { type: "runEnd", runId, at, status, text: "", usage } as ChatEvent;
  const messageMetadata = { runId, status, usage };
  expect(new UiChunks().add(end)).toEqual(
    chunks.map((chunk) => (chunk.type === "abort" ? chunk : { ...chunk, messageMetadata })),
  );
});
