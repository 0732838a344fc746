import { randomUUID } from "node:crypto";
import { RunnableLambda } from "@langchain/core/runnables";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineBot } from "../../src/bots/bot.ts";
import type { Json } from "../../src/protocol/events.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { openaiBot } from "../support/openai-bot.ts";
import { read, type StockClient, wsClient } from "../support/stock-client.ts";
import { answerOf, invoice, structuredBots } from "../support/structured-bots.ts";
import { expectWholeRun, ofType, tokensOf } from "../support/transcript.ts";

const described = { title: "Typed", description: "" };
const length = defineBot({
  ...described,
  id: "length",
  input: z.string().min(3),
  output: z.number(),
  runnable: RunnableLambda.from((text: string) => text.length),
});
const seen: unknown[] = [];
const defaults = defineBot({
  ...described,
  id: "defaults",
  input: z.object({
    page: z.number().default(1),
    since: z.iso.date().transform((day) => new Date(day)),
  }),
  schemas: { input: { type: "object" } },
  runnable: RunnableLambda.from((input) => {
    seen.push(input);
    return "seen";
  }),
});

async function setUp() {
  const stack = new AsyncDisposableStack();
  const provider = stack.use(await startMockProvider());
  const bots = [...structuredBots(provider), openaiBot(provider.baseUrl), length, defaults];
  const failures: unknown[] = [];
  const observer = {
    runEnded: (_run: unknown, { cause }: { cause?: unknown }) => void failures.push(cause),
  };
  const server = stack.use(
    await startTestServer({ bots, observer, runLimits: { maxMessageLength: 200 } }),
  );
  const client = stack.use(wsClient(server.url));
  return { provider, client, server, failures, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function newRun(botId: string, given: { input: Json } | { message: string }) {
  return { runId: randomUUID(), botId, conversationId: randomUUID(), ...given };
}

const send = ({ api }: StockClient, run: ReturnType<typeof newRun>) =>
  read((options) => api.chat.send.subscribe(run, options)).completed;

describe("a typed bot's output", () => {
  test.each(["provider", "tool", "structured", "functionCalling", "lambda"])(
    "comes with the end of the run, and no JSON is its text: %s",
    async (botId) => {
      await using s = await setUp();
      s.provider.answerAll(answerOf(botId, invoice));
      const input = { file: "bill.pdf" };
      const received = await send(s.client, newRun(botId, { input }));
      expect(expectWholeRun(received)).toMatchObject({
        status: "completed",
        text: "",
        output: invoice,
      });
      expect(tokensOf(received)).toBe("");
      expect(ofType(received, "runStart")).toMatchObject([
        { input, message: JSON.stringify(input) },
      ]);
      const asked = s.provider.calls[0]?.lastText;
      expect(asked).toBe(botId === "lambda" ? undefined : "bill.pdf in EUR");
    },
  );

  test("that does not fit fails the run, and what did not fit is in the server's log alone", async () => {
    await using s = await setUp();
    const received = await send(s.client, newRun("lambda", { input: { file: "none" } }));
    const end = expectWholeRun(received);
    expect(end).toMatchObject({ status: "failed", error: { code: "OUTPUT_INVALID" } });
    expect(end.output).toBeUndefined();
    expect(JSON.stringify(received)).not.toContain("lines");
    expect(String(s.failures.at(-1))).toContain(
      "output.total: Invalid input: expected number, received string; output.lines:",
    );
  });

  test("that a model wrote wrongly fails the run the same", async () => {
    await using s = await setUp();
    s.provider.answerAll(answerOf("structured", { total: "many" }));
    const received = await send(s.client, newRun("structured", { input: { file: "bill.pdf" } }));
    expect(expectWholeRun(received).error).toMatchObject({
      code: "OUTPUT_INVALID",
      retryable: true,
    });
  });

  test("may be a text, which is the answer's text as well, or a number", async () => {
    await using s = await setUp();
    const received = await send(s.client, newRun("length", { input: "four" }));
    expect(expectWholeRun(received)).toMatchObject({ output: 4, text: "" });
  });

  test("is in what is read again, live or from the log", async () => {
    await using s = await setUp();
    const run = newRun("lambda", { input: { file: "bill.pdf" } });
    const received = await send(s.client, run);
    expect(await send(s.client, run)).toEqual(received);
    const { runId } = run;
    const followed = read((options) => s.client.api.chat.follow.subscribe({ runId }, options));
    expect(await followed.completed).toEqual(received);
  });

  test("and its input are in the history", async () => {
    await using s = await setUp();
    const input = { file: "bill.pdf" };
    const run = newRun("lambda", { input });
    await send(s.client, run);
    const { conversationId } = run;
    const { items } = await s.client.api.conversations.messages.query({ conversationId });
    expect(items).toMatchObject([
      {
        role: "human",
        text: JSON.stringify(input),
        parts: [{ type: "data", origin: "input", value: input }],
      },
      { role: "ai", text: "", output: invoice },
    ]);
    const [conversation] = (await s.client.api.conversations.list.query({})).items;
    expect(conversation?.title).toBe(JSON.stringify(input));
  });
});

describe("a typed bot's input", () => {
  const file =
    "a file's name as long as it takes to be longer than the longest message that there may be";

  test.each<[string, { input: Json } | { message: string }, string]>([
    ["lambda", { input: {} }, "input.file: Invalid input: expected string, received undefined"],
    ["lambda", { input: { file: "x", currency: "USD" } }, "input.currency: Invalid option"],
    ["lambda", { input: "bill.pdf" }, "input: Invalid input: expected object, received string"],
    ["lambda", { message: "bill.pdf" }, "message: this bot takes an input"],
    ["lambda", { input: { file: file.repeat(3) } }, "input: longer than 200 characters"],
    ["length", { message: "hi" }, "message: Too small"],
    ["test", { input: "hello" }, "input: this bot takes a message"],
  ])("is refused before anything is stored or run: %s %j", async (botId, given, message) => {
    await using s = await setUp();
    const run = newRun(botId, given);
    await expect(send(s.client, run)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      data: { langwire: { code: "BAD_INPUT", retryable: false } },
    });
    const { items } = await s.client.api.conversations.list.query({});
    expect(items).toEqual([]);
    expect(s.provider.calls).toEqual([]);
    // The same run may be sent as it should be.
    const right = { ...run, message: undefined, input: { file: "bill.pdf" } };
    if (botId === "lambda")
      expect(expectWholeRun(await send(s.client, right)).output).toEqual(invoice);
  });

  test("that is refused uses up no allowance", async () => {
    const userLimits = { maxLiveRuns: 1, maxRunsPerMinute: 1 };
    await using server = await startTestServer({ bots: [length], userLimits });
    using client = wsClient(server.url);
    for (let sent = 0; sent < 3; sent++) {
      await expect(send(client, newRun("length", { input: "a" }))).rejects.toMatchObject({
        data: { langwire: { code: "BAD_INPUT" } },
      });
    }
    const received = await send(client, newRun("length", { input: "long" }));
    expect(expectWholeRun(received).output).toBe(4);
    await expect(send(client, newRun("length", { input: "long" }))).rejects.toMatchObject({
      data: { langwire: { code: "RATE_LIMITED" } },
    });
  });

  test("whose check throws refuses the run as the bot's failure", async () => {
    const throwing = z.string().refine(() => {
      throw new Error("the check itself is broken");
    });
    const broken = defineBot({
      ...described,
      id: "broken",
      input: throwing,
      runnable: RunnableLambda.from(() => ""),
    });
    await using server = await startTestServer({ bots: [broken] });
    using client = wsClient(server.url);
    const refused = send(client, newRun("broken", { input: "text" }));
    await expect(refused).rejects.toMatchObject({ data: { langwire: { code: "BOT_FAILED" } } });
    await expect(refused).rejects.not.toThrow("broken");
  });

  test("is given to the runnable as its schema makes it, and shown as it was sent", async () => {
    await using s = await setUp();
    const input = { since: "2026-11-28" };
    const received = await send(s.client, newRun("defaults", { input }));
    expect(seen.at(-1)).toEqual({ page: 1, since: new Date("2026-11-28") });
    expect(ofType(received, "runStart")[0]?.input).toEqual(input);
  });

  test.each<[string, PropertyDescriptor]>([
    ["that never settles", { value: () => {} }],
    ["that rejects", { value: (_: unknown, reject: (why: Error) => void) => reject(new Error()) }],
    [
      "that throws",
      {
        get: () => {
          throw new Error("no");
        },
      },
    ],
  ])("may be made something with a `then` %s: nobody waits for that", async (_what, then) => {
    const made = Object.defineProperties({}, { then });
    const own = { version: 1 as const, vendor: "own", validate: () => ({ value: made }) };
    const odd = defineBot({
      ...described,
      id: "odd",
      input: { "~standard": own },
      schemas: { input: { type: "string" } },
      runnable: RunnableLambda.from(() => "answered"),
    });
    await using server = await startTestServer({ bots: [odd] });
    using client = wsClient(server.url);
    const run = newRun("odd", { input: "text" });
    const reading = read((options) => client.api.chat.send.subscribe(run, options));
    await reading.until(({ type }) => type === "runStart");
  });

  test("may be a message, where it may be a text", async () => {
    await using s = await setUp();
    const received = await send(s.client, newRun("length", { message: "a message" }));
    expect(expectWholeRun(received).output).toBe(9);
    expect(ofType(received, "runStart")[0]).toMatchObject({ message: "a message" });
  });

  test("and what else a bot takes is in the list of bots", async () => {
    await using s = await setUp();
    const bots = await s.client.api.bots.list.query();
    const lambda = bots.find(({ id }) => id === "lambda");
    expect(lambda).toMatchObject({
      accepts: { message: false, input: true },
      schemas: { input: { required: ["file"] }, output: { required: ["total", "lines"] } },
    });
    expect(bots.find(({ id }) => id === "test")?.accepts).toEqual({ message: true, input: false });
  });
});
