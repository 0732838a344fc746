/** What a bot opens for a run is closed when the run is over: once, however that came. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { AgentExecutor, createToolCallingAgent } from "@langchain/classic/agents";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { type RunnableConfig, RunnableLambda, RunnableSequence } from "@langchain/core/runnables";
import { createAgent, piiMiddleware, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type BotDefinition, type BotRunnable, defineBot } from "../../src/bots/bot.ts";
import { type SpanEvent, startBot } from "../../src/bots/run/run-bot.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { transcriptOf } from "./transcript.ts";

interface Ran {
  readonly closed: readonly string[];
  readonly failures: readonly unknown[];
}

/** Runs the bot, stops it where `stopWhen` says, and waits until it has closed what it opened. */
async function run(
  definition: Pick<BotDefinition, "runnable" | "onEnd">,
  closed: string[],
  stopWhen?: Promise<unknown>,
): Promise<Ran> {
  const stopping = new AbortController();
  const failures: unknown[] = [];
  const bot = defineBot({ id: "bot", title: "Bot", description: "", ...definition });
  const started = startBot(bot, {
    context: { runId: crypto.randomUUID(), conversationId: "conversation", userId: "somebody" },
    turn: { message: "hello", history: [] },
    signal: stopping.signal,
    emit() {},
    spoken: () => "",
    onFailure: (_what, cause) => failures.push(cause),
  });
  void stopWhen?.then(() => stopping.abort());
  await started.done;
  await started.closed;
  return { closed, failures };
}

const says = (what: () => unknown): BotRunnable => RunnableLambda.from(what) as BotRunnable;

describe("a run that", () => {
  const begun = () => Promise.withResolvers<void>();
  const stopped = begun();
  const ignores = begun();

  test.each<[string, () => unknown, Promise<void>?]>([
    ["completed", () => "fine"],
    [
      "failed",
      () => {
        throw new Error("x");
      },
    ],
    [
      "was stopped",
      () => {
        stopped.resolve();
        return new Promise(() => {});
      },
      stopped.promise,
    ],
    [
      "was stopped and goes on",
      () => {
        ignores.resolve();
        return new Promise((resolve) => setImmediate(resolve, "late"));
      },
      ignores.promise,
    ],
  ])("%s closes what its factory opened", async (_what, work, stopWhen) => {
    const closed: string[] = [];
    const make = (symbol: symbol) => () =>
      Object.assign(says(work), { [symbol]: async () => closed.push(String(symbol)) });
    const onEnd = ({ userId }: { userId: string }) => closed.push(`onEnd for ${userId}`);
    const asynchronous = await run(
      { runnable: make(Symbol.asyncDispose), onEnd },
      closed,
      stopWhen,
    );
    expect(asynchronous.closed.toSorted()).toEqual([
      "Symbol(Symbol.asyncDispose)",
      "onEnd for somebody",
    ]);
    closed.length = 0;
    const synchronous = await run({ runnable: make(Symbol.dispose) }, closed, stopWhen);
    expect(synchronous.closed).toEqual(["Symbol(Symbol.dispose)"]);
  });

  test("was stopped while its factory was still at work closes what that made in the end", async () => {
    const closed: string[] = [];
    const opening = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<BotRunnable>();
    const runnable = () => {
      opening.resolve();
      return opened.promise;
    };
    const stopping = new AbortController();
    const bot = defineBot({ id: "bot", title: "Bot", description: "", runnable });
    const started = startBot(bot, {
      context: { runId: crypto.randomUUID(), conversationId: "conversation", userId: "somebody" },
      turn: { message: "hello", history: [] },
      signal: stopping.signal,
      emit() {},
      spoken: () => "",
    });
    await opening.promise;
    stopping.abort();
    await started.done;
    expect(closed).toEqual([]);
    opened.resolve(
      Object.assign(
        says(() => ""),
        { [Symbol.dispose]: () => void closed.push("late") },
      ),
    );
    await started.closed;
    expect(closed).toEqual(["late"]);
  });

  test("closes nothing of a runnable that all runs share", async () => {
    const closed: string[] = [];
    const runnable = Object.assign(
      says(() => "fine"),
      { [Symbol.dispose]: () => closed.push("x") },
    );
    expect((await run({ runnable }, closed)).closed).toEqual([]);
  });

  test("is not hurt by what fails in closing", async () => {
    const broken = () => Promise.reject(new Error("cannot close"));
    const runnable = () =>
      Object.assign(
        says(() => "fine"),
        { [Symbol.asyncDispose]: broken },
      );
    const { failures } = await run({ runnable, onEnd: broken }, []);
    expect(failures).toHaveLength(2);
    const { outcome } = await transcriptOf({ runnable, onEnd: broken });
    expect(outcome).toEqual({ status: "completed", text: "fine" });
  });
});

test("a server that closes waits for what its bots still close", async () => {
  let open = 0;
  const closing = Promise.withResolvers<void>();
  const runnable = () => {
    open += 1;
    const close = async () => {
      await closing.promise;
      open -= 1;
    };
    return Object.assign(
      says(() => "fine"),
      { [Symbol.asyncDispose]: close },
    );
  };
  const bot = defineBot({ id: "bot", title: "Bot", description: "", runnable });
  await using server = await startTestServer({
    bots: [bot],
    runLimits: { botCloseTimeoutMs: 60_000 },
  });
  const { runs } = server.langwire;
  const ids = { runId: crypto.randomUUID(), conversationId: crypto.randomUUID() };
  const input = { ...ids, botId: "bot", message: "hi", ifBusy: "reject" as const };
  for await (const _ of await runs.send({ userId: "local" }, input));
  let isDrained = false;
  const drained = runs.drain(0).then(() => {
    isDrained = true;
  });
  // Whatever else it waits for is over by then.
  for (let turns = 0; turns < 100; turns++) await nextTurn();
  expect([isDrained, open]).toEqual([false, 1]);
  closing.resolve();
  await drained;
  expect(open).toBe(0);
});

describe("stream: false", () => {
  const secret = "bob@example.com";
  const lookup = tool(() => "found", { name: "lookup", description: "", schema: z.object({}) });
  const guarded = () =>
    createAgent({
      model: scriptedModel([
        { tokens: ["I ask for ", secret], toolCalls: [{ name: "lookup", args: {} }] },
        { tokens: ["Write to ", secret, "."] },
      ]),
      tools: [lookup],
      middleware: [piiMiddleware("email", { strategy: "redact", applyToOutput: true })],
    });
  const shown = (events: readonly SpanEvent[]) => JSON.stringify(events);

  test.each(["none", "root", "tools"] as const)(
    "shows nothing before the guard: %s",
    async (expose) => {
      const streamed = await transcriptOf({ runnable: guarded(), expose });
      expect(shown(streamed.events)).toContain(secret);
      const { events, outcome } = await transcriptOf({
        runnable: guarded(),
        expose,
        stream: false,
      });
      expect(shown(events)).not.toContain(secret);
      expect(events.map(({ type }) => type)).toContain("toolEnd");
      expect(outcome).toEqual({ status: "completed", text: "Write to [REDACTED_EMAIL]." });
    },
  );

  test.each(["root", "tools"] as const)(
    "shows nothing of an agent inside of the guard, nor what it reports: %s",
    async (expose) => {
      const agent = AgentExecutor.fromAgentAndTools({
        agent: createToolCallingAgent({
          llm: scriptedModel([{ tokens: ["Write to ", secret, "."] }]),
          tools: [lookup],
          prompt: ChatPromptTemplate.fromMessages([
            ["human", "{input}"],
            ["placeholder", "{agent_scratchpad}"],
          ]),
        }),
        tools: [lookup],
      });
      const redact = ({ output }: { output?: string }) => output?.replaceAll(secret, "…");
      const guard = RunnableSequence.from([agent, redact]);
      const streamed = await transcriptOf({ runnable: guard, expose });
      expect(shown(streamed.events)).toContain(secret);
      const { events, outcome } = await transcriptOf({ runnable: guard, expose, stream: false });
      expect(shown(events)).not.toContain(secret);
      expect(events.map(({ type }) => type)).toContain("agentFinish");
      expect(outcome).toEqual({ status: "completed", text: "Write to …." });
    },
  );

  test("shows nothing before the bot's own `output`, where that is the guard", async () => {
    const runnable = RunnableLambda.from(async (_input: unknown, config: RunnableConfig) => {
      const manager = config.callbacks;
      if (manager === undefined || Array.isArray(manager)) throw new TypeError("no manager");
      await manager.handlers[0]?.handleText?.(secret, manager.getParentRunId() ?? "");
      return { output: `Write to ${secret}.` };
    });
    const { events, outcome } = await transcriptOf({
      runnable,
      expose: "tools",
      stream: false,
      output: (value) => (value as { output: string }).output.replaceAll(secret, "…"),
    });
    expect(shown(events)).not.toContain(secret);
    expect(events.map(({ type }) => type)).toEqual(["chainStart", "chainEnd"]);
    expect(outcome).toEqual({ status: "completed", text: "Write to …." });
  });

  test("has the answer of a bot that returns none", async () => {
    const model = scriptedModel([{ tokens: ["All ", "is well."] }]);
    const runnable = RunnableLambda.from(async (_input: unknown, config: RunnableConfig) => {
      await model.invoke("hi", config);
      return { done: true };
    });
    const { tokens, outcome } = await transcriptOf({ runnable, stream: false });
    expect(tokens).toBe("");
    expect(outcome).toEqual({ status: "completed", text: "All is well." });
  });

  test("is refused where everything is exposed", () => {
    const wrong = { id: "bot", title: "Bot", description: "", runnable: guarded() };
    expect(() => defineBot({ ...wrong, expose: "all", stream: false })).toThrow(/at stream/);
  });
});
