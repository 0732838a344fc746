/** A typed client: a run's output, and a chat with a typed bot in React. */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, test } from "vitest";
import { z } from "zod";
import { createClient } from "../../client/src/index.ts";
import { Chat } from "../../client/src/react/index.ts";
import { defineBot } from "../../src/bots/bot.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { answerOf, invoice, structuredBots } from "../support/structured-bots.ts";

const counter = defineBot({
  id: "counter",
  title: "Counter",
  description: "Counts.",
  input: z.object({ words: z.array(z.string()).min(1) }),
  output: z.object({ count: z.number() }),
  runnable: RunnableLambda.from(({ words }: { words: string[] }) => ({
    count: words.length > 2 ? "many" : words.length,
  })),
});
const bots = [counter] as const;

async function setUp() {
  const stack = new AsyncDisposableStack();
  const provider = stack.use(await startMockProvider());
  const all = [...bots, ...structuredBots(provider)] as const;
  const server = stack.use(await startTestServer({ bots: all }));
  const client = stack.use(createClient<typeof all>({ url: server.url }));
  return { client, provider, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test.each(["provider", "tool", "structured", "functionCalling", "lambda"] as const)(
  "a run's output is the value that the bot answers: %s",
  async (botId) => {
    await using s = await setUp();
    s.provider.answerAll(answerOf(botId, invoice));
    const run = s.client.send({ botId, input: { file: "bill.pdf" } });
    expect(await run.output).toEqual(invoice);
    expect(await run.text).toBe("");
    expect(JSON.parse(JSON.stringify(run))).toMatchObject({ botId, input: { file: "bill.pdf" } });
    const again = s.client.send(run.toJSON());
    expect(await again.output).toEqual(invoice);
  },
);

test("a run whose output does not fit rejects, and one that is refused as well", async () => {
  await using s = await setUp();
  const run = s.client.send({ botId: "counter", input: { words: ["a", "b", "c"] } });
  await expect(run.output).rejects.toMatchObject({ code: "OUTPUT_INVALID", retryable: true });
  const refused = s.client.send({ botId: "counter", input: { words: [] } });
  await expect(refused.output).rejects.toMatchObject({
    code: "BAD_INPUT",
    message: expect.stringContaining("input.words: "),
  });
});

test("a chat shows what a typed bot was given at once, and what it answered", async () => {
  await using s = await setUp();
  const conversationId = crypto.randomUUID();
  const chat = new Chat({ client: () => s.client, botId: "counter", conversationId });
  const input = { words: ["one", "two"] };
  const sent = chat.send(input);
  const parts = [{ type: "data", name: "input", origin: "input", value: input }];
  const given = { role: "human", text: JSON.stringify(input), input, parts };
  expect(chat.getState().messages).toMatchObject([{ ...given, status: "sending" }]);
  await sent;
  const reopened = new Chat({ client: () => s.client, botId: "counter", conversationId });
  const { promise: shown, resolve } = Promise.withResolvers<void>();
  const leave = reopened.subscribe(() => {
    if (reopened.getState().messages.length === 2) resolve();
  });
  await shown;
  expect(reopened.getState().messages).toMatchObject([
    { ...given, status: "sent" },
    { role: "ai", output: { count: 2 }, status: "completed", text: "" },
  ]);
  await reopened.regenerate();
  const { items } = await s.client.conversations.messages({ conversationId });
  expect(items.map(({ output }) => output)).toEqual([
    undefined,
    { count: 2 },
    undefined,
    { count: 2 },
  ]);
  leave();
});
