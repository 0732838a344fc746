/** Which of a program's exports are bots, and what cannot be one. */
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { Annotation, MemorySaver, MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { createAgent } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { exportedBots } from "../../src/cli/program/exported-bots.ts";
import { langgraphBot } from "../../src/cli/program/langgraph-bots.ts";
import { readLanggraphJson } from "../../src/cli/program/langgraph-json.ts";
import { ProgramSource } from "../../src/cli/program/program-source.ts";
import { readSettings } from "../../src/config/read-settings.ts";
import { defineBot } from "../../src/index.ts";
import { scriptedModel } from "../../src/testing/index.ts";

const memory = { k: 5 };
const read = (module: Record<string, unknown>, file = "/app/bots.ts") =>
  exportedBots(module, { file, memory });
const idsOf = async (module: Record<string, unknown>, file?: string) =>
  (await read(module, file)).bots.map(({ id }) => id).sort();

const lambda = () => RunnableLambda.from(() => "hi");
const bot = (id: string, runnable = lambda()) =>
  defineBot({ id, title: id, description: "", runnable });
const builder = () =>
  new StateGraph(MessagesAnnotation).addNode("say", () => ({})).addEdge("__start__", "say");
const sums = () =>
  new StateGraph(Annotation.Root({ total: Annotation<number> }))
    .addNode("add", () => ({ total: 1 }))
    .addEdge("__start__", "add");

describe("a module's exports", () => {
  test("are bots under their own ids, and runnables, agents and graphs under their names", async () => {
    const agent = createAgent({ model: scriptedModel([]), tools: [] });
    const module = { one: bot("by-its-id"), chain: lambda(), agent, graph: builder().compile() };
    expect(await idsOf(module)).toEqual(["agent", "by-its-id", "chain", "graph"]);
  });

  test("may be lists, objects and promises of them", async () => {
    const module = {
      bots: [bot("a"), bot("b")],
      more: { c: lambda() },
      later: Promise.resolve(bot("d")),
    };
    expect(await idsOf(module)).toEqual(["a", "b", "c", "d"]);
  });

  test("the default has the name of its file, or of its folder", async () => {
    expect(await idsOf({ default: lambda() }, "/app/support-agent.ts")).toEqual(["support-agent"]);
    expect(await idsOf({ default: lambda() }, "/app/support/index.ts")).toEqual(["support"]);
  });

  test("are one bot where they are the same, or what a bot is made of", async () => {
    const runnable = lambda();
    const guarded = bot("guarded", runnable);
    const plain = lambda();
    const module = { guarded, bots: [guarded], runnable, plain, same: plain };
    expect(await idsOf(module)).toEqual(["guarded", "plain"]);
  });

  test("that answer nobody are named, and are no bots", async () => {
    const search = tool(() => "", { name: "search", description: "", schema: z.object({}) });
    const prompt = ChatPromptTemplate.fromTemplate("{human_input}");
    const parser = new StringOutputParser();
    const { bots, others } = await read({
      bot: bot("a"),
      search,
      prompt,
      parser,
      list: ["a", "b"],
      f: () => 1,
    });
    expect(bots).toHaveLength(1);
    expect(others).toEqual([
      "search (a tool)",
      "prompt (a prompt)",
      "parser (an output parser)",
      "list",
      "f",
    ]);
  });

  test("have the settings' memory, or their own", async () => {
    const checkpointer = new MemorySaver();
    const module = { plain: builder().compile(), kept: builder().compile({ checkpointer }) };
    const { bots } = await read(module);
    expect(bots.find(({ id }) => id === "plain")?.memory).toMatchObject({ k: 5 });
    expect(bots.find(({ id }) => id === "kept")?.memory).toBe(false);
  });

  test("have a title that a person would give", async () => {
    const graph = builder().compile();
    graph.name = "New Agent";
    const { bots } = await read({ graph, supportAgent: lambda(), ask_FAQ: lambda() });
    expect(bots.map(({ title }) => title).sort()).toEqual([
      "Ask FAQ",
      "New Agent",
      "Support agent",
    ]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      "a graph without messages",
      { sum: sums().compile() },
      'sum cannot be a bot by itself, but in a defineBot that says what it lacks. Bot "sum" is not defined well:\nits graph has no channel `messages`',
    ],
    [
      "a graph that is not compiled",
      { sum: builder() },
      "sum is a graph that is not compiled: export sum.compile()",
    ],
    [
      "a prompt that asks for more than a message",
      { chain: ChatPromptTemplate.fromTemplate("{a} {b}").pipe(scriptedModel([])) },
      'chain cannot be a bot by itself, but in a defineBot that says what it lacks. Bot "chain" is not defined well:\nits prompt asks for a, b',
    ],
    ["a name that is no id", { $chat: lambda() }, "$chat cannot be a bot"],
    [
      "an id that is there twice",
      { a: bot("same"), same: lambda() },
      'there are two bots with the id "same"',
    ],
  ])("%s is refused by name", async (_what, module, why) => {
    await expect(read(module)).rejects.toThrow(`/app/bots.ts: ${why}`);
  });
});

describe("langgraph.json", () => {
  const graph = {
    id: "a",
    file: "/app/graph.ts",
    exportName: "graph",
    description: "What it does",
  };

  test("graphs are compiled, or are to be, or are made by a function", async () => {
    const make = () => builder();
    for (const value of [builder().compile(), builder(), make, Promise.resolve(builder())]) {
      const made = await langgraphBot(graph, { module: { graph: value }, memory });
      expect(made).toMatchObject({ id: "a", description: "What it does" });
      const runnable = await made.makeRunnable({
        runId: "r",
        conversationId: "c",
        userId: "u",
        context: undefined,
      });
      expect(runnable).toHaveProperty("lg_is_pregel", true);
    }
  });

  test.each<[string, unknown, string]>([
    ["nothing", undefined, "there is no export graph (for a); it exports other"],
    [
      "what is no graph",
      3,
      "graph cannot be a bot by itself, but in a defineBot that says what it lacks. It is neither a graph nor",
    ],
  ])("%s is refused by name", async (_what, value, why) => {
    const module = value === undefined ? { other: 1 } : { graph: value };
    await expect(langgraphBot(graph, { module, memory })).rejects.toThrow(why);
  });

  async function inFile<Value>(
    config: object,
    use: (file: string) => Value,
  ): Promise<Awaited<Value>> {
    await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-langgraph-"));
    const file = join(folder.path, "langgraph.json");
    await writeFile(file, JSON.stringify(config));
    return await use(file);
  }

  test("says where graphs are, what is set, and what is left out", async () => {
    const graphs = { a: "./src/a.ts:graph", b: { path: "./b.js", description: "B" } };
    const config = { graphs, env: { N: 1 }, node_version: "22", http: {}, store: {} };
    await inFile(config, (file) => {
      expect(readLanggraphJson(file)).toEqual({
        graphs: [
          { id: "a", file: join(file, "../src/a.ts"), exportName: "graph", description: undefined },
          { id: "b", file: join(file, "../b.js"), exportName: "default", description: "B" },
        ],
        env: { N: "1" },
        ignored: ["http", "store"],
        hasAuth: false,
      });
    });
  });

  test("is refused for graphs in Python, and for none", async () => {
    await inFile({ graphs: { py: "./agent.py:graph" } }, (file) => {
      expect(() => readLanggraphJson(file)).toThrow("py is written in Python");
    });
    await inFile({}, (file) => expect(() => readLanggraphJson(file)).toThrow("graphs"));
  });

  test("is refused for auth of its own, which nobody would ask, unless there is another", async () => {
    const config = { graphs: { a: "./none.ts" }, auth: { path: "./auth.ts:auth" } };
    const quiet = { info: () => {}, warn: () => {} };
    await inFile(config, async (file) => {
      using source = new ProgramSource(file, {});
      const load = (settings: Record<string, string>) => source.load(readSettings(settings), quiet);
      await expect(load({})).rejects.toThrow("its auth is code of LangGraph's");
      await expect(load({ AUTH_SECRET: "s".repeat(32) })).rejects.toThrow(
        "none.ts cannot be loaded",
      );
    });
  });
});

test.each([
  ["authenticate", "authenticate must be a function of a request"],
  ["limitsOf", "limitsOf must be a function of a caller"],
])("a module whose %s is no function is refused: nobody would be asked", async (name, why) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-module-"));
  const file = join(folder.path, "bots.mjs");
  const quiet = { info: () => {}, warn: () => {} };
  const load = async (value: string) => {
    await writeFile(
      file,
      `export const chat = { invoke: () => "hi" }; export const ${name} = ${value};`,
    );
    using source = new ProgramSource(file, {});
    return await source.load(readSettings({}), quiet);
  };
  await expect(load('"yes"')).rejects.toThrow(`${file}: ${why}`);
});
