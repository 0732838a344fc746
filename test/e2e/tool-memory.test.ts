/** What a bot's tools gave in one turn is known in the next, and nobody is sent it who may not see it. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentExecutor, createToolCallingAgent } from "@langchain/classic/agents";
import { type AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { MemorySaver } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type BotDefinition, defineBot } from "../../src/bots/bot.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { type Reading, read, wsClient } from "../support/stock-client.ts";

interface Sent {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly { readonly id: string }[];
}

/** OpenAI refuses a call that is not followed by its results, and a result that follows no call. */
function checkOrder(messages: readonly Sent[]): void {
  let open = new Set<string>();
  for (const { role, tool_call_id, tool_calls } of messages) {
    if (role === "tool") {
      expect(open.delete(tool_call_id ?? ""), `a result without a call: ${tool_call_id}`).toBe(
        true,
      );
      continue;
    }
    expect([...open], "calls without results").toEqual([]);
    open = new Set(tool_calls?.map(({ id }) => id));
  }
  expect([...open], "calls without results").toEqual([]);
}

/** A request's messages, in short: what each says, or which calls it makes, or which it answers. */
function requested(provider: MockProvider, index: number): string[] {
  const messages = (provider.calls[index]?.request.messages ?? []) as readonly Sent[];
  checkOrder(messages);
  return messages.map(({ role, content, tool_calls: calls, tool_call_id: id }) =>
    [role, id, content, calls?.map((call) => call.id).join("+")].filter(Boolean).join(" "),
  );
}

async function setUp(settings: (model: ChatOpenAI) => Partial<BotDefinition>, dataDir?: string) {
  const stack = new AsyncDisposableStack();
  const provider = stack.use(await startMockProvider());
  const configuration = { baseURL: provider.baseUrl };
  const model = new ChatOpenAI({ model: "m", apiKey: "k", maxRetries: 0, configuration });
  const bot = defineBot({
    ...{ id: "bot", title: "Bot", description: "", runnable: model },
    ...settings(model),
  });
  const server = stack.use(await startTestServer({ bots: [bot], ...(dataDir && { dataDir }) }));
  const client = stack.use(wsClient(server.url));
  const send = (message: string, conversationId: string) => {
    const runId = randomUUID();
    const input = { runId, botId: "bot", conversationId, message };
    const reading = read((options) => client.api.chat.send.subscribe(input, options));
    return { runId, reading };
  };
  const end = async ({ reading }: { reading: Reading }) => {
    const event = (await reading.completed).at(-1)?.event;
    return event?.type === "runEnd" ? event : undefined;
  };
  return {
    ...{ provider, client, server, send, end },
    say: async (message: string, conversationId: string) => end(send(message, conversationId)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const price = (result: () => Promise<string> | string = () => "42 euros") =>
  tool(result, { name: "price", description: "", schema: z.object({ of: z.string() }) });
const agent =
  (tools = [price()]) =>
  (model: ChatOpenAI) => ({
    runnable: createAgent({ model, tools }),
  });
const asks = (id = "c1", of = "tea") => ({ toolCall: "price", args: { of }, id });

describe("the second turn", () => {
  test("of an agent is given the call and the result of the first", async () => {
    await using s = await setUp(agent());
    const conversation = randomUUID();
    s.provider.answer({ steps: ["Let me see.", asks()] });
    s.provider.answer({ steps: ["It costs 42 euros."] });
    await s.say("How much?", conversation);
    s.provider.answer({ steps: ["About 45 dollars."] });
    await s.say("And in dollars?", conversation);
    expect(requested(s.provider, 2)).toEqual([
      "user How much?",
      "assistant Let me see. c1",
      "tool c1 42 euros",
      "assistant It costs 42 euros.",
      "user And in dollars?",
    ]);
    // And the third is given both.
    await s.say("And in yen?", conversation);
    expect(requested(s.provider, 3).slice(4)).toEqual([
      "user And in dollars?",
      "assistant About 45 dollars.",
      "user And in yen?",
    ]);
  });

  test("knows several calls at once, and one that failed", async () => {
    const failing = price(() => {
      throw new Error("sold out");
    });
    await using s = await setUp(agent([failing]));
    const conversation = randomUUID();
    s.provider.answer({ steps: [asks("c1"), asks("c2")] });
    s.provider.answer({ steps: ["None."] });
    await s.say("How much?", conversation);
    await s.say("Why?", conversation);
    const [, calls, first, second, answer] = requested(s.provider, 2);
    expect(calls).toBe("assistant c1+c2");
    expect(first).toMatch(/^tool c1 .*sold out/);
    expect(second).toMatch(/^tool c2 .*sold out/);
    expect(answer).toBe("assistant None.");
  });

  test("of a server that numbers its calls anew has each with its own result", async () => {
    let count = 0;
    await using s = await setUp(agent([price(() => `${++count} euros`)]));
    const conversation = randomUUID();
    s.provider.answer({ steps: [asks("same")] });
    s.provider.answer({ steps: [asks("same")] });
    s.provider.answer({ steps: ["Done."] });
    await s.say("How much?", conversation);
    await s.say("Sure?", conversation);
    expect(requested(s.provider, 3)).toEqual([
      ...["user How much?", "assistant same", "tool same 1 euros"],
      ...["assistant same", "tool same 2 euros", "assistant Done.", "user Sure?"],
    ]);
  });

  test("is given no more exchanges than k, each whole", async () => {
    await using s = await setUp((model) => ({ ...agent()(model), memory: { k: 1 } }));
    const conversation = randomUUID();
    for (const [at, question] of ["one", "two"].entries()) {
      s.provider.answer({ steps: [asks(`c${at}`)] });
      s.provider.answer({ steps: [`${at}.`] });
      await s.say(question, conversation);
    }
    await s.say("three", conversation);
    expect(requested(s.provider, 4)).toEqual([
      ...["user two", "assistant c1", "tool c1 42 euros", "assistant 1.", "user three"],
    ]);
  });

  test("is given no tools where the context would not hold them, and their exchange's texts", async () => {
    const long = "x".repeat(12_000);
    await using s = await setUp((model) => ({
      ...agent([price(() => long)])(model),
      memory: { k: 5, contextTokens: 4_000 },
    }));
    const conversation = randomUUID();
    s.provider.answer({ steps: [asks("c1")] });
    s.provider.answer({ steps: ["Long."] });
    await s.say("one", conversation);
    s.provider.answer({ steps: ["Short."] });
    await s.say("two", conversation);
    expect(requested(s.provider, 2)).toEqual(["user one", "assistant Long.", "user two"]);
  });

  test("is given those of a bot with an `input` of its own as `messages`, and texts as before", async () => {
    const turns: { history: unknown; messages: readonly BaseMessage[] }[] = [];
    await using s = await setUp((model) => ({
      ...agent()(model),
      input: ({ message, history, messages }) => {
        turns.push({ history, messages });
        return { messages: [...messages, new HumanMessage(`${message} Please.`)] };
      },
    }));
    const conversation = randomUUID();
    s.provider.answer({ steps: [asks()] });
    s.provider.answer({ steps: ["42."] });
    await s.say("How much?", conversation);
    await s.say("Sure?", conversation);
    expect(turns[1]?.history).toEqual([
      { role: "human", text: "How much?" },
      { role: "ai", text: "42." },
    ]);
    expect(turns[1]?.messages.map(({ type }) => type)).toEqual(["human", "ai", "tool", "ai"]);
    expect(requested(s.provider, 2).at(-1)).toBe("user Sure? Please.");
  });

  test("of a classic executor has questions and answers", async () => {
    await using s = await setUp((model) => {
      const prompt = ChatPromptTemplate.fromMessages([
        ["placeholder", "{chat_history}"],
        ["human", "{input}"],
        ["placeholder", "{agent_scratchpad}"],
      ]);
      const tools = [price()];
      const made = createToolCallingAgent({ llm: model, tools, prompt });
      return { runnable: new AgentExecutor({ agent: made, tools }) };
    });
    const conversation = randomUUID();
    s.provider.answer({ steps: [asks()] });
    s.provider.answer({ steps: ["42."] });
    await s.say("How much?", conversation);
    await s.say("Sure?", conversation);
    expect(requested(s.provider, 2)).toEqual(["user How much?", "assistant 42.", "user Sure?"]);
  });

  test("of an agent that remembers by itself is given by itself, as before", async () => {
    await using s = await setUp((model) => {
      const runnable = createAgent({ model, tools: [price()], checkpointer: new MemorySaver() });
      return { runnable, memory: false };
    });
    const conversation = randomUUID();
    s.provider.answer({ steps: [asks()] });
    s.provider.answer({ steps: ["42."] });
    await s.say("How much?", conversation);
    await s.say("Sure?", conversation);
    expect(requested(s.provider, 2)).toEqual([
      ...["user How much?", "assistant c1", "tool c1 42 euros", "assistant 42.", "user Sure?"],
    ]);
  });
});

describe("a first turn that did not end well is made whole", () => {
  const stopped = /did not run to its end/;
  /** Mistral takes no question behind a tool's result. */
  const noAnswer = "assistant [No further answer was given.]";

  test("stopped in a tool, before a word was said", async () => {
    const begun = Promise.withResolvers<void>();
    const never = new Promise<string>(() => {});
    const slow = price(() => {
      begun.resolve();
      return never;
    });
    await using s = await setUp(agent([slow]));
    const conversation = randomUUID();
    s.provider.answer({ steps: [asks()] });
    const run = s.send("How much?", conversation);
    await begun.promise;
    await s.client.api.chat.cancel.mutate({ runId: run.runId });
    expect(await s.end(run)).toMatchObject({ status: "cancelled", text: "" });
    await s.say("Well?", conversation);
    const messages = requested(s.provider, 1);
    expect(messages.map((message) => message.split(" ", 2).join(" "))).toEqual([
      "user How",
      "assistant c1",
      "tool c1",
      "assistant [No",
      "user Well?",
    ]);
    expect(messages[2]).toMatch(stopped);
  });

  test("stopped while one of two tools was at work: the other's result is known", async () => {
    const both = Promise.withResolvers<void>();
    const oneOf = tool(
      ({ of }: { of: string }) => {
        if (of === "tea") return "42 euros";
        both.resolve();
        return new Promise<string>(() => {});
      },
      { name: "price", description: "", schema: z.object({ of: z.string() }) },
    );
    await using s = await setUp(agent([oneOf]));
    const conversation = randomUUID();
    s.provider.answer({ steps: ["Let me see.", asks("c1", "tea"), asks("c2", "gold")] });
    const run = s.send("How much?", conversation);
    await Promise.all([both.promise, run.reading.until(({ type }) => type === "toolEnd")]);
    await s.client.api.chat.cancel.mutate({ runId: run.runId });
    expect(await s.end(run)).toMatchObject({ status: "cancelled", text: "Let me see." });
    await s.say("Well?", conversation);
    const messages = requested(s.provider, 1);
    expect(messages.slice(0, 3)).toEqual([
      "user How much?",
      "assistant Let me see. c1+c2",
      "tool c1 42 euros",
    ]);
    expect(messages[3]).toMatch(stopped);
    expect(messages.slice(4)).toEqual([noAnswer, "user Well?"]);
  });

  test("stopped while it spoke: with what had been said", async () => {
    await using s = await setUp(agent());
    const conversation = randomUUID();
    s.provider.answer({ steps: [asks()] });
    s.provider.answer({ steps: ["It costs", "stall"] });
    const run = s.send("How much?", conversation);
    await run.reading.until(({ type }) => type === "token");
    await s.client.api.chat.cancel.mutate({ runId: run.runId });
    await s.end(run);
    await s.say("Well?", conversation);
    expect(requested(s.provider, 2)).toEqual([
      ...["user How much?", "assistant c1", "tool c1 42 euros", "assistant It costs", "user Well?"],
    ]);
  });

  test("failed behind a tool", async () => {
    await using s = await setUp(agent());
    const conversation = randomUUID();
    s.provider.answer({ steps: [asks()] });
    s.provider.answer({ status: 500 });
    expect(await s.say("How much?", conversation)).toMatchObject({ status: "failed" });
    await s.say("Well?", conversation);
    expect(requested(s.provider, 2)).toEqual([
      ...["user How much?", "assistant c1", "tool c1 42 euros", noAnswer, "user Well?"],
    ]);
  });
});

test("it is known after a restart", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "langwire-"));
  const conversation = randomUUID();
  {
    await using s = await setUp(agent(), dataDir);
    s.provider.answer({ steps: [asks()] });
    s.provider.answer({ steps: ["42."] });
    await s.say("How much?", conversation);
  }
  await using s = await setUp(agent(), dataDir);
  await s.say("Sure?", conversation);
  expect(requested(s.provider, 0)).toEqual([
    ...["user How much?", "assistant c1", "tool c1 42 euros", "assistant 42.", "user Sure?"],
  ]);
  await s[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

test("no reader is sent it, live or from the history", async () => {
  await using s = await setUp((model) => ({
    ...agent([price(() => "CANARY")])(model),
    expose: "none",
  }));
  const conversationId = randomUUID();
  s.provider.answer({ steps: [asks("c1", "CANARY")] });
  s.provider.answer({ steps: ["Done."] });
  const run = s.send("How much?", conversationId);
  await s.end(run);
  const again = read((options) =>
    s.client.api.chat.follow.subscribe({ runId: run.runId }, options),
  );
  const seen = [
    await run.reading.completed,
    await again.completed,
    await s.client.api.conversations.messages.query({ conversationId }),
    await s.client.api.conversations.list.query({}),
  ];
  expect(JSON.stringify(seen)).toContain("Done.");
  expect(JSON.stringify(seen)).not.toContain("CANARY");
  await s.say("Again.", conversationId);
  expect(requested(s.provider, 2)).toContain("tool c1 CANARY");
});

test("a model that a bot asks for arguments, and that runs no tool, has made no step", async () => {
  const bound = (model: ChatOpenAI) => model.bindTools([price()]);
  await using s = await setUp((model) => ({
    runnable: bound(model).pipe((answer: AIMessage) => `${answer.tool_calls?.length} call`),
    input: ({ message, messages }) => [...messages, new HumanMessage(message)],
  }));
  const conversation = randomUUID();
  s.provider.answer({ steps: [asks()] });
  await s.say("How much?", conversation);
  await s.say("Sure?", conversation);
  expect(requested(s.provider, 1)).toEqual(["user How much?", "assistant 1 call", "user Sure?"]);
});
