/** What of a run's messages is kept for the bot's memory. */
import { AgentExecutor, createToolCallingAgent } from "@langchain/classic/agents";
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import { MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { readExchange, storedExchange } from "../../src/bots/exchange/stored-exchange.ts";
import { type ScriptedReply, scriptedModel } from "../../src/testing/scripted-model.ts";
import { type TranscriptOptions, transcriptOf } from "./transcript.ts";

const look = tool(() => "seen", { name: "look", description: "", schema: z.object({}) });
const looks = (id: string): ScriptedReply => ({
  tokens: ["Let me look."],
  toolCalls: [{ name: "look", args: {}, id }],
});

/** Types and texts, calls as their ids. */
const keptOf = async (options: TranscriptOptions): Promise<string[] | undefined> => {
  const { run } = await transcriptOf(options);
  return readExchange(run.modelMessages ?? "null")?.map((message) => {
    const calls = message instanceof AIMessage ? message.tool_calls : [];
    return `${message.type} ${calls?.map(({ id }) => id).join("+")}${message.text}`;
  });
};

describe("of a run that failed", () => {
  const failing = { error: new Error("no more") };
  const asTool = (name: string, work: (config: RunnableConfig) => Promise<unknown>) =>
    tool(async (_input, config) => String(await work(config)), {
      ...{ name, description: "", schema: z.object({}) },
    });

  test("neither what happens inside of a tool, nor a choice of structure", async () => {
    const inner = createAgent({
      // Some servers number the calls of each answer anew.
      model: scriptedModel([looks("outer"), { tokens: ["Looked."] }]),
      tools: [look],
    });
    const route = scriptedModel([{ toolCalls: [{ name: "route", args: {}, id: "routed" }] }]);
    const task = asTool("task", (config) => inner.invoke({ messages: ["go"] }, config));
    const script = [{ toolCalls: [{ name: "task", args: {}, id: "outer" }] }, failing];
    const agent = createAgent({ model: scriptedModel(script), tools: [task] });
    const routing = RunnableLambda.from(async (input: object, config) => {
      await route.invoke("where?", { ...config, tool_choice: "route" } as object);
      return agent.invoke(input as never, config);
    });
    const kept = await keptOf({
      runnable: routing,
      input: ({ message }) => ({ messages: [new HumanMessage(message)] }),
    });
    expect(kept).toEqual(["ai outer", "tool [object Object]"]);
  });

  test("no result of a tool inside of another for the other's call, which was cut", async () => {
    const inner = createAgent({
      model: scriptedModel([looks("same"), { until: new Promise(() => {}) }]),
      tools: [look],
    });
    const task = asTool("task", (config) => inner.invoke({ messages: ["go"] }, config));
    const model = scriptedModel([{ toolCalls: [{ name: "task", args: {}, id: "same" }] }]);
    const stopping = new AbortController();
    let models = 0;
    const kept = await keptOf({
      runnable: createAgent({ model, tools: [task] }),
      signal: stopping.signal,
      onEvent({ type }) {
        if (type === "llmStart" && ++models === 3) stopping.abort(new Error("enough"));
      },
    });
    expect(kept?.[1]).toContain("did not run to its end");
  });

  test("no word of its models where a guard was to see them first", async () => {
    const script = [looks("c1"), failing];
    const runnable = () => createAgent({ model: scriptedModel(script), tools: [look] });
    expect(await keptOf({ runnable })).toEqual(["ai c1Let me look.", "tool seen"]);
    expect(await keptOf({ runnable, stream: false })).toEqual(["ai c1", "tool seen"]);
  });

  test("what a node says of a call that no tool ran for, and of a tool that failed", async () => {
    const broken = tool(
      () => {
        throw new Error("sold out");
      },
      { name: "look", description: "", schema: z.object({}) },
    );
    const runnable = createAgent({
      model: scriptedModel([
        looks("c1"),
        { toolCalls: [{ name: "no", args: {}, id: "c2" }] },
        failing,
      ]),
      tools: [broken],
    });
    const [, first, , second] = (await keptOf({ runnable })) ?? [];
    expect(first).toContain("sold out");
    expect(second).toMatch(/^tool .*no/);
    expect(second).not.toContain("stopped");
  });

  test("each call's own result, where a server has one id for all", async () => {
    let count = 0;
    const counting = tool(() => `${++count}`, {
      name: "look",
      description: "",
      schema: z.object({}),
    });
    const script = [looks("same"), looks("same"), failing];
    const runnable = createAgent({ model: scriptedModel(script), tools: [counting] });
    const kept = await keptOf({ runnable });
    expect(kept?.filter((line) => line.startsWith("tool"))).toEqual(["tool 1", "tool 2"]);
  });

  test("no earlier result, where a node returns the whole conversation", async () => {
    const asking = () =>
      new AIMessage({ content: "", tool_calls: [{ id: "same", name: "look", args: {} }] });
    const old = new ToolMessage({ tool_call_id: "same", content: "old" });
    const model = scriptedModel([looks("same")]);
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("ask", async ({ messages }, config) => ({
        messages: [...messages, await model.invoke(messages, config)],
      }))
      .addNode("fail", () => {
        throw new Error("no more");
      })
      .addEdge(START, "ask")
      .addEdge("ask", "fail")
      .compile();
    const kept = await keptOf({
      runnable: graph,
      input: ({ message }) => ({ messages: [asking(), old, new HumanMessage(message)] }),
    });
    expect(kept?.[1]).toContain("did not run to its end");
  });

  test("a classic agent's, whose tools are not told the call's id", async () => {
    const llm = scriptedModel([looks("c1"), failing]);
    const prompt = ChatPromptTemplate.fromMessages([
      ["human", "{input}"],
      ["placeholder", "{agent_scratchpad}"],
    ]);
    const agent = createToolCallingAgent({ llm, tools: [look], prompt });
    const runnable = new AgentExecutor({ agent, tools: [look] });
    expect(await keptOf({ runnable })).toEqual(["ai c1Let me look.", "tool seen"]);
  });

  test("nothing of a bot that remembers by itself", async () => {
    const runnable = createAgent({ model: scriptedModel([looks("c1"), failing]), tools: [look] });
    expect(await keptOf({ runnable, memory: false })).toBeUndefined();
  });
});

describe("of a state", () => {
  const returning = (...messages: unknown[]) => ({
    runnable: RunnableLambda.from(() => ({ messages })),
    input: ({ message }: { message: string }) => ({ messages: [new HumanMessage(message)] }),
  });
  const asking = (id: string) =>
    new AIMessage({ content: "", tool_calls: [{ id, name: "look", args: {} }] });
  const result = (id: string) => new ToolMessage({ tool_call_id: id, content: "seen" });

  test("what came behind the question, up to the last result", async () => {
    const kept = await keptOf(
      returning(
        ...[asking("old"), result("old"), new HumanMessage("hello"), asking("c1"), result("c1")],
        new AIMessage("Done."),
      ),
    );
    expect(kept).toEqual(["ai c1", "tool seen"]);
  });

  test("no instructions, no result without its call, and for each call a result", async () => {
    const kept = await keptOf(
      returning(
        ...[new HumanMessage("hello"), new SystemMessage("be brief"), result("lost")],
        ...[asking("c1"), new HumanMessage("Go on."), asking("c2"), result("c2")],
      ),
    );
    expect(kept?.map((line) => line.slice(0, 20))).toEqual([
      ...["ai c1", "tool The call of the", "human Go on.", "ai c2", "tool seen"],
    ]);
  });

  test("each call's one result right behind it, whatever a graph has put between", async () => {
    const both = new AIMessage({
      content: "",
      tool_calls: ["c1", "c2"].map((id) => ({ id, name: "look", args: {} })),
    });
    const wait = new HumanMessage("Wait.");
    const results = [result("c2"), wait, result("c1"), result("c1")];
    const kept = await keptOf(
      returning(new HumanMessage("hello"), both, ...results, new AIMessage("Done.")),
    );
    expect(kept).toEqual(["ai c1+c2", "tool seen", "tool seen", "human Wait."]);
  });

  test("what the callbacks told where the question is gone, as behind a summary", async () => {
    const agent = createAgent({
      model: scriptedModel([looks("c1"), { tokens: ["Done."] }]),
      tools: [look],
    });
    const runnable = agent.graph.pipe(() => ({ messages: [new HumanMessage("A summary.")] }));
    expect(await keptOf({ runnable, output: () => "Done." })).toEqual([
      ...["ai c1Let me look.", "tool seen"],
    ]);
  });

  test("nothing where no tool was asked, or it cannot be read", async () => {
    expect(
      await keptOf(returning(new HumanMessage("hello"), new AIMessage("Done."))),
    ).toBeUndefined();
    const odd = new Proxy([], {
      get() {
        throw new Error("revoked");
      },
    });
    const { outcome, run } = await transcriptOf({
      runnable: RunnableLambda.from(() => ({ messages: odd })),
      output: () => "Done.",
    });
    expect(outcome).toEqual({ status: "completed", text: "Done." });
    expect(run.modelMessages).toBeUndefined();
  });
});

describe("what is kept is bounded", () => {
  const step = (id: string, text: string) => [
    new AIMessage({ content: text, tool_calls: [{ id, name: "look", args: { text } }] }),
    new ToolMessage({ tool_call_id: id, content: text }),
  ];

  test("first by cutting long texts", () => {
    const json = storedExchange([...step("c1", "x".repeat(500_000)), ...step("c2", "short")]) ?? "";
    expect(json.length).toBeLessThan(256 * 1024);
    const kept = readExchange(json) ?? [];
    expect(kept.map(({ type }) => type)).toEqual(["ai", "tool", "ai", "tool"]);
    expect(kept[1]?.text).toMatch(/^x{1000}.*…\[cut: \d+ characters\]$/);
    expect(kept[3]?.text).toBe("short");
  });

  test("then by leaving out the oldest steps, each with its results", () => {
    const steps = Array.from({ length: 300 }, (_, at) => step(`c${at}`, "x".repeat(2_000)));
    const json = storedExchange(steps.flat()) ?? "";
    expect(json.length).toBeLessThan(256 * 1024);
    const kept = readExchange(json) ?? [];
    expect(kept.length).toBeGreaterThan(50);
    expect(kept[0]?.type).toBe("ai");
    expect(kept.at(-1)).toMatchObject({ tool_call_id: "c299" });
    expect(kept.length % 2).toBe(0);
  });

  test("at the price of a few looks at each message, however many there are", () => {
    const steps = Array.from({ length: 1_000 }, (_, at) =>
      step(`c${at}`, "x".repeat(2_000)),
    ).flat();
    let looks = 0;
    for (const message of steps) {
      const { content } = message;
      Object.defineProperty(message, "content", {
        get() {
          looks += 1;
          return content;
        },
      });
    }
    expect(storedExchange(steps)).toContain('"c999"');
    expect(looks).toBeLessThan(steps.length * 10);
  });

  test("images are named, and what a provider keeps beside the text is left out", () => {
    const [asking, result] = [
      new AIMessage({
        content: [
          { type: "thinking", thinking: "hm" },
          { type: "text", text: "Look." },
        ],
        tool_calls: [{ id: "c1", name: "look", args: {} }],
        response_metadata: { model: "m" },
      }),
      new ToolMessage({
        tool_call_id: "c1",
        content: [
          { type: "text", text: "A cat." },
          { type: "image", mimeType: "image/png", data: "AAAA" },
        ],
      }),
    ];
    const json = storedExchange([asking, result]) ?? "";
    expect(json).not.toMatch(/AAAA|thinking|response_metadata/);
    expect(readExchange(json)?.map(({ text }) => text)).toEqual(["Look.", "A cat.\n[image]"]);
  });

  test("what is none of it is nothing", () => {
    for (const json of ["", "{}", '{"a":1}', "[1]"]) expect(readExchange(json)).toBeUndefined();
  });
});
