/** A provider that fails in every way it can: each its code, and what was said before is kept. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Failure } from "../../src/protocol/errors.ts";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { createModel } from "../../src/shipped/model.ts";
import { startTestServer, type TestServer } from "../../src/testing/index.ts";
import { type MockProvider, type Reply, startMockProvider } from "../support/mock-provider.ts";
import { read, type StockClient, wsClient } from "../support/stock-client.ts";
import { faultRow } from "./fault-table.ts";
import { judge, logOf } from "./oracle.ts";

let stack: AsyncDisposableStack;
let provider: MockProvider;
let server: TestServer;
let client: StockClient;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  provider = stack.use(await startMockProvider());
  const model = await createModel({
    model: "openai:gpt-4.1-mini",
    openaiApiKey: "test-key",
    openaiBaseUrl: provider.baseUrl,
    firstByteTimeoutMs: 1_000,
    stallTimeoutMs: 1_000,
    retryDelayMs: 5,
  });
  server = stack.use(await startTestServer({ bots: [chatBot({ model })] }));
  client = stack.use(wsClient(server.url));
});

afterAll(async () => {
  await stack.disposeAsync();
});

interface Outcome {
  readonly status: "completed" | "failed";
  readonly code?: Failure["code"];
  readonly text: string;
  readonly calls: number;
  readonly retryAfterMs?: number;
}

interface Fault {
  readonly fault: string;
  readonly replies: readonly Reply[];
  readonly outcome: Outcome;
}

const said = ["Hello", " wor"];
const sse = (data: string): Uint8Array => Buffer.from(`data: ${data}\n\n`);
const inStream = sse('{"error":{"message":"the backend is gone","type":"server_error"}}');
const four = <T>(reply: T): T[] => [reply, reply, reply, reply];

const faults: readonly Fault[] = [
  {
    fault: "no first byte",
    replies: [{ steps: ["stall"], headersAfterMs: 60_000 }],
    outcome: { status: "failed", code: "PROVIDER_TIMEOUT", text: "", calls: 1 },
  },
  {
    fault: "headers, and then nothing",
    replies: [{ steps: ["stall"] }],
    outcome: { status: "failed", code: "PROVIDER_TIMEOUT", text: "", calls: 1 },
  },
  {
    fault: "a stall between tokens",
    replies: [{ steps: [...said, "stall"] }],
    outcome: { status: "failed", code: "PROVIDER_TIMEOUT", text: "Hello wor", calls: 1 },
  },
  {
    fault: "429 with Retry-After, then an answer",
    replies: [{ status: 429, headers: { "retry-after": "1" } }, { steps: said }],
    outcome: { status: "completed", text: "Hello wor", calls: 2 },
  },
  {
    fault: "429 again and again",
    replies: four({ status: 429, headers: { "retry-after": "0" } }),
    outcome: { status: "failed", code: "MODEL_RATE_LIMIT", text: "", calls: 4, retryAfterMs: 0 },
  },
  {
    fault: "500, then an answer",
    replies: [{ status: 500 }, { steps: said }],
    outcome: { status: "completed", text: "Hello wor", calls: 2 },
  },
  {
    fault: "500 again and again",
    replies: four({ status: 500 }),
    outcome: { status: "failed", code: "PROVIDER_ERROR", text: "", calls: 4 },
  },
  {
    fault: "a body that is no stream",
    replies: [
      { steps: [Buffer.from("<html>Bad gateway</html>")], finishReason: null, usage: null },
    ],
    outcome: { status: "failed", code: "PROVIDER_ERROR", text: "", calls: 1 },
  },
  {
    fault: "a stream that turns into something else",
    replies: [{ steps: [...said, sse("{not json")] }],
    outcome: { status: "failed", code: "PROVIDER_ERROR", text: "Hello wor", calls: 1 },
  },
  {
    fault: "an error at the start of the stream",
    replies: [{ steps: [inStream] }],
    outcome: { status: "failed", code: "PROVIDER_ERROR", text: "", calls: 1 },
  },
  {
    fault: "an error inside the stream",
    replies: [{ steps: [...said, inStream] }],
    outcome: { status: "failed", code: "PROVIDER_ERROR", text: "Hello wor", calls: 1 },
  },
  {
    fault: "a connection that breaks inside the stream",
    replies: [{ steps: [...said, "cut"] }],
    outcome: { status: "failed", code: "PROVIDER_ERROR", text: "Hello wor", calls: 1 },
  },
  {
    fault: "an end without a finish",
    replies: [{ steps: said, finishReason: null, usage: null }],
    outcome: { status: "failed", code: "PROVIDER_ERROR", text: "Hello wor", calls: 1 },
  },
  {
    fault: "UTF-8 split over writes",
    replies: [{ steps: ["炭酸", "水👩‍👩‍👧", "é\r\n"], bytesPerWrite: 1 }],
    outcome: { status: "completed", text: "炭酸水👩‍👩‍👧é\r\n", calls: 1 },
  },
];

for (const { fault, replies, outcome } of faults) {
  test(fault, async (context) => {
    const row = faultRow(context, `provider: ${fault}`);
    await runInto(replies, outcome);
    row.cases = 1;
  });
}

async function runInto(replies: readonly Reply[], expected: Outcome): Promise<void> {
  for (const reply of replies) provider.answer(reply);
  const before = provider.calls.length;
  const runId = randomUUID();
  const run = { runId, botId: "chat", conversationId: randomUUID(), message: runId };
  const reading = read((options) => client.api.chat.send.subscribe(run, options));
  const received = await reading.completed;
  const calls = provider.calls.length - before;
  const end = judge({
    runId,
    log: await logOf(server.langwire, run),
    readers: { received },
    provider: { calls },
  });
  const { status, text, error } = end;
  expect({ status, text, calls, code: error?.code, retryAfterMs: error?.retryAfterMs }).toEqual({
    code: undefined,
    retryAfterMs: undefined,
    ...expected,
  });
  const { items } = await client.api.conversations.messages.query(run);
  expect(items.at(-1)).toMatchObject({ role: "ai", text, status });
}
