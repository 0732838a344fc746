/** Whose words are tokens, whose are a tool's progress, and whose are nobody's business. */
import { MultiQueryRetriever } from "@langchain/classic/retrievers/multi_query";
import { RunnableLambda, RunnableParallel } from "@langchain/core/runnables";
import { FakeRetriever } from "@langchain/core/utils/testing";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ModelCall } from "../../src/bots/bot.ts";
import type { SpanEvent } from "../../src/bots/run/run-bot.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { ShapedModel } from "../support/shaped-model.ts";
import { type TranscriptOptions, transcriptOf } from "./transcript.ts";

const said = (...tokens: string[]) => scriptedModel([{ tokens }]);

/** Two tools deep: what is said in there is the outer one's progress. */
function agentThatAsks() {
  const notes = createAgent({ name: "researcher", model: said("inner ", "notes"), tools: [] });
  const search = tool(
    async ({ q }, config) => (await notes.invoke({ messages: [q] }, config)).messages.at(-1)?.text,
    { name: "search", description: "Searches", schema: z.object({ q: z.string() }) },
  );
  const task = tool(async (_input, config) => search.invoke({ q: "x" }, config), {
    name: "task",
    description: "Delegates",
    schema: z.object({}),
  });
  const model = scriptedModel([
    { tokens: ["Let me ask."], toolCalls: [{ name: "task", args: {} }] },
    { tokens: ["The report."] },
  ]);
  return createAgent({ name: "lead", model, tools: [task] });
}

const spoken = (events: readonly SpanEvent[]) =>
  events.flatMap((event) => (event.type === "token" ? [event.text] : []));
const progress = (events: readonly SpanEvent[]) =>
  events.flatMap((event) => (event.type === "toolProgress" ? [event.text] : []));

describe("a model in a tool", () => {
  test("says nothing of the answer: its words are the outermost tool's progress", async () => {
    const { events } = await transcriptOf({ runnable: agentThatAsks(), expose: "tools" });
    expect(spoken(events)).toEqual(["Let me ask.", "The report."]);
    const [outer] = events.filter(({ type }) => type === "toolStart");
    const told = events.filter(({ type }) => type === "toolProgress");
    expect(told).toMatchObject([{ text: "inner " }, { text: "notes" }]);
    expect(new Set(told.map(({ spanId }) => spanId))).toEqual(new Set([outer?.spanId]));
  });

  test("says nothing at all where the tools' payloads stay on the server", async () => {
    const { events } = await transcriptOf({ runnable: agentThatAsks(), expose: "root" });
    expect(progress(events)).toEqual([]);
    expect(spoken(events)).toEqual(["Let me ask.", "The report."]);
  });

  test("says no reasoning, and nothing where it is tagged nostream or asked for structure", async () => {
    await using provider = await startMockProvider();
    provider.answer({ steps: [{ reasoning: "Well." }, "aloud"] });
    provider.answer({ steps: ["quiet"] });
    provider.answer({ steps: ['{"a":1}'] });
    const model = modelOf(provider.baseUrl);
    const work = tool(
      async (_input, config) => {
        await model.invoke("one", config);
        await model.invoke("two", { ...config, tags: ["nostream"] });
        await model
          .withStructuredOutput(z.object({ a: z.number() }), { method: "jsonSchema" })
          .invoke("three", config);
        return "done";
      },
      { name: "work", description: "Works", schema: z.object({}) },
    );
    const runnable = RunnableLambda.from((_input, config) => work.invoke({}, config));
    const { events } = await transcriptOf({ runnable, expose: "all" });
    expect(progress(events).join("")).toBe("aloud");
    expect(events.filter(({ type }) => type === "reasoning" || type === "token")).toEqual([]);
  });
});

test("a model in a retriever says nothing", async () => {
  const runnable = MultiQueryRetriever.fromLLM({
    llm: said("one\ntwo"),
    retriever: new FakeRetriever(),
  });
  const { events } = await transcriptOf({ runnable, expose: "all" });
  expect(events.filter(({ type }) => type === "llmEnd")).toHaveLength(1);
  expect([...spoken(events), ...progress(events)]).toEqual([]);
});

const modelOf = (baseURL: string, fields = {}) =>
  new ChatOpenAI({
    model: "gpt-4o",
    apiKey: "none",
    maxRetries: 0,
    configuration: { baseURL },
    ...fields,
  });

describe("a model that is asked for structure says nothing", () => {
  const schema = z.object({ route: z.string() });
  const route = '{"route":"math"}';
  test.each(["jsonSchema", "jsonMode"] as const)("by %s", async (method) => {
    await using provider = await startMockProvider();
    provider.answer({ steps: [route] });
    provider.answer({ steps: ["Four."] });
    const model = modelOf(provider.baseUrl);
    const runnable = model
      .withStructuredOutput(schema, { method })
      .pipe(({ route }) => route)
      .pipe(model);
    const { events, outcome } = await transcriptOf({ runnable, input: () => "In JSON: 2 + 2?" });
    expect(spoken(events).join("")).toBe("Four.");
    expect(outcome).toMatchObject({ status: "completed", text: "Four." });
  });

  test.each<[string, Record<string, unknown>, boolean]>([
    ["LangChain's mark", { ls_structured_output_format: { kwargs: {} } }, true],
    ["OpenAI's", { response_format: { type: "json_object" } }, true],
    ["OpenAI's, for text", { response_format: { type: "text" } }, false],
    ["OpenAI's responses", { text: { format: { type: "json_schema" } } }, true],
    ["OpenAI's responses, for text", { text: { format: { type: "text" } } }, false],
    ["Mistral's", { responseFormat: { type: "json_object" } }, true],
    ["Anthropic's", { output_config: { format: { type: "json_schema" } } }, true],
    ["Gemini's", { generationConfig: { responseMimeType: "application/json" } }, true],
    ["Gemini's, for one function", { allowedFunctionNames: ["extract"] }, true],
    ["Gemini's, for any of two", { allowedFunctionNames: ["a", "b"] }, false],
    ["Ollama's", { format: "json" }, true],
    ["Ollama's schema", { format: { type: "object" } }, true],
    ["one tool, by OpenAI", { tool_choice: { type: "function", function: { name: "a" } } }, true],
    ["one tool, by Anthropic", { tool_choice: { type: "tool", name: "extract-1" } }, true],
    ["one tool, by its name", { tool_choice: "extract-1" }, true],
    ["any tool", { tool_choice: "any" }, false],
    ["any tool, by Anthropic", { tool_choice: { type: "any" } }, false],
  ])("by %s", async (_of, parameters, structured) => {
    const calls: ModelCall[] = [];
    const runnable = said("x").withConfig({});
    const bound = RunnableLambda.from((input: string, config) =>
      runnable.invoke(input, { ...config, ...parameters }),
    );
    const speaks = (call: ModelCall) => {
      calls.push(call);
      return call.speaks;
    };
    const { events } = await transcriptOf({ runnable: bound, speaks, input: () => "hi" });
    expect(calls[0]?.structured).toBe(structured);
    expect(spoken(events)).toEqual(structured ? [] : ["x"]);
  });
});

test("what nobody heard is not taken back", async () => {
  const broken = scriptedModel([{ tokens: ["Half"], error: new Error("gone") }]);
  const aside = broken.withFallbacks([said("Whole.")]).withConfig({ tags: ["nostream"] });
  const { events } = await transcriptOf({ runnable: aside, input: () => "hi" });
  expect(events.filter(({ type }) => type === "error")).toHaveLength(1);
  expect(events.filter(({ type }) => type === "reset")).toEqual([]);
});

describe("Claude's package, which cannot stream what a forced tool was given", () => {
  const claude = (text: string, output_config?: object) => {
    const end = { message: { content: text, additional_kwargs: { stop_reason: "end_turn" } } };
    const parameters = { output_config };
    return new ShapedModel({ provider: "anthropic", calls: [[end]], parameters });
  };
  const forced = { tool_choice: { type: "tool", name: "extract" } };
  const input = () => "hi";

  test("is not made to stream there, and is elsewhere", async () => {
    const [router, answer] = [claude(""), claude("Yes.")];
    const runnable = router
      .withConfig(forced)
      .pipe(() => "hi")
      .pipe(answer);
    const { tokens } = await transcriptOf({ runnable, input });
    expect([router.streamed, answer.streamed]).toEqual([[false], [true]]);
    expect(tokens).toBe("Yes.");
  });

  test("is made to stream where JSON is asked for without a tool", async () => {
    const model = claude("{}", { format: { type: "json_schema" } });
    const { tokens } = await transcriptOf({ runnable: model, input });
    expect(model.streamed).toEqual([true]);
    expect(tokens).toBe("");
  });

  test("also where both work at once, side by side or one below the other", async () => {
    for (const structuredFirst of [true, false]) {
      const [router, answer] = [claude(""), claude("Yes.")];
      const nested = RunnableLambda.from((text: string) => router.withConfig(forced).invoke(text));
      const branches = structuredFirst
        ? RunnableParallel.from({ router: nested, answer })
        : RunnableParallel.from({ answer, router: router.withConfig(forced) });
      await transcriptOf({ runnable: branches, input });
      expect([router.streamed, answer.streamed]).toEqual([[false], [true]]);
    }
  });

  test("also beside a call that another branch makes by `stream` and that said nothing yet", async () => {
    const [router, answer] = [claude(""), claude("Yes.")];
    const streaming = RunnableLambda.from(async (text: string) => {
      for await (const chunk of await answer.stream(text)) return chunk.text;
      return "";
    });
    const routing = RunnableLambda.from((text: string) => router.withConfig(forced).invoke(text));
    const runnable = RunnableParallel.from({ streaming, routing });
    await transcriptOf({ runnable, input });
    expect([router.streamed, answer.streamed]).toEqual([[false], [true]]);
  });

  test("also beside a call that is made by `stream`, for which LangChain does not ask", async () => {
    const [router, answer] = [claude(""), claude("Yes.")];
    const runnable = RunnableLambda.from(async (text: string) => {
      let whole = "";
      for await (const chunk of await answer.stream(text)) {
        whole += chunk.text;
        await router.withConfig(forced).invoke(text);
      }
      return whole;
    });
    await transcriptOf({ runnable, input });
    expect([router.streamed, answer.streamed]).toEqual([[false], [true]]);
  });
});

describe("a bot that says who speaks", () => {
  const runWith = (speaks: TranscriptOptions["speaks"], more: Partial<TranscriptOptions> = {}) =>
    transcriptOf({ runnable: agentThatAsks(), expose: "tools", speaks, ...more });

  test("is told where each call is made", async () => {
    const calls: ModelCall[] = [];
    await runWith((call) => {
      calls.push(call);
      return call.speaks;
    });
    expect(calls[0]).toMatchObject({
      name: "ScriptedModel",
      path: ["bot", "model_request"],
      agentName: "lead",
      node: "model_request",
      structured: false,
      speaks: true,
    });
    expect(calls[0]?.insideTool).toBeUndefined();
    expect(calls[1]).toMatchObject({ agentName: "researcher", insideTool: "task", speaks: false });
    expect(calls[1]?.path.slice(0, 3)).toEqual(["bot", "tools", "task"]);
  });

  test("makes a model speak in a tool, and silences another", async () => {
    const { events, outcome } = await runWith(({ agentName }) => agentName === "researcher");
    expect(spoken(events)).toEqual(["inner ", "notes"]);
    expect(progress(events)).toEqual([]);
    expect(outcome).toMatchObject({ status: "completed", text: undefined });
  });

  test("fails its run where it throws, and by name", async () => {
    const { outcome } = await runWith(() => {
      throw new Error("oops");
    });
    expect(outcome).toMatchObject({ status: "failed", error: { code: "BOT_FAILED" } });
  });
});
