/** What the answer is, found in what a runnable returned: by value, and by the bots that return it. */
import {
  ConversationalRetrievalQAChain,
  ConversationChain,
  LLMChain,
} from "@langchain/classic/chains";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { Document } from "@langchain/core/documents";
import {
  AIMessage,
  type BaseMessage,
  HumanMessage,
  RemoveMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import {
  type RunnableConfig,
  RunnableLambda,
  RunnablePassthrough,
} from "@langchain/core/runnables";
import { FakeRetriever } from "@langchain/core/utils/testing";
import {
  Command,
  END,
  MessagesAnnotation,
  REMOVE_ALL_MESSAGES,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import {
  createAgent,
  modelCallLimitMiddleware,
  providerStrategy,
  tool,
  toolCallLimitMiddleware,
  toolStrategy,
} from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { answerIn } from "../../src/bots/run/bot-output.ts";
import { SpanTree } from "../../src/bots/run/span-tree.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { AnswerFold } from "../../src/protocol/fold/answer-fold.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { type Piece, ShapedModel } from "../support/shaped-model.ts";
import { type Transcript, type TranscriptOptions, transcriptOf } from "./transcript.ts";

/** The answer of a whole run: what was found, else the last thing spoken. */
async function answerOf(options: TranscriptOptions): Promise<string | undefined> {
  const { outcome, events } = await transcriptOf(options);
  if (outcome.status !== "completed") throw outcome.error;
  return outcome.text ?? lastSpoken(events);
}

function lastSpoken(events: Transcript["events"]): string | undefined {
  const spoken = new Map<string, string>();
  for (const event of events) {
    if (event.type !== "token") continue;
    spoken.set(event.spanId, (spoken.get(event.spanId) ?? "") + event.text);
  }
  return [...spoken.values()].at(-1);
}

const said = (...texts: string[]) => scriptedModel(texts.map((text) => ({ tokens: [text] })));
const calling = (name: string, text = "") => ({
  tokens: text === "" ? [] : [text],
  toolCalls: [{ name, args: {} }],
});
const named = (name: string, result: string, returnDirect = false) =>
  tool(() => result, { name, description: name, schema: z.object({}), returnDirect });

describe("in a value", () => {
  const earlier = [new AIMessage("earlier"), new HumanMessage("and now?")];
  const mixedUp = [new AIMessage("x"), new ToolMessage({ content: "row", tool_call_id: "c1" })];
  const cycle: Record<string, unknown> = {};
  cycle.output = cycle;
  test.each<[string, unknown, string | undefined]>([
    ["a string", "x", "x"],
    ["a message", new AIMessage("x"), "x"],
    ["a message of blocks", new AIMessage({ content: [{ type: "text", text: "x" }] }), "x"],
    ["a list of messages", [...earlier, new AIMessage("x")], "x"],
    ["a state of messages", { messages: [...earlier, new AIMessage("x")] }, "x"],
    ["a message as an object", { role: "assistant", content: "x" }, "x"],
    ["a message as LangChain stores it", { type: "ai", content: "x" }, "x"],
    ["a message as LangChain writes it out", new AIMessage("x").toJSON(), "x"],
    ["a person's message as an object", { role: "user", content: "x" }, undefined],
    [
      "messages as objects",
      {
        messages: [
          { role: "user", content: "q" },
          { role: "assistant", content: "x" },
        ],
      },
      "x",
    ],
    [
      "messages as pairs",
      {
        messages: [
          ["human", "q"],
          ["ai", "x"],
        ],
      },
      "x",
    ],
    ["a list of messages as objects", [{ role: "assistant", content: "x" }], "x"],
    ["messages that are one", { messages: new AIMessage("x") }, "x"],
    [
      "messages that are none",
      { messages: [null, 5, "q", ["ai"], { role: "boss", content: "y" }] },
      undefined,
    ],
    [
      "blocks of text",
      [
        { type: "text", text: "x" },
        { type: "text", text: "y" },
      ],
      "xy",
    ],
    ["blocks of text under a key", { answer: [{ type: "text", text: "x" }] }, "x"],
    ["a list of data", [{ type: "text", text: "x" }, "y"], undefined],
    ["a state that nobody answered in", { messages: earlier }, undefined],
    [
      "a state whose last word is empty",
      { messages: [new AIMessage("x"), new AIMessage("")] },
      "x",
    ],
    ["a state in which tools answered another message", { messages: mixedUp }, "x"],
    ["a retrieval chain's", { input: "q", context: [], answer: "x" }, "x"],
    ["what an executor returns", { input: "q", output: "x" }, "x"],
    ["what LLMChain returns", { text: "x" }, "x"],
    ["what ConversationChain returns", { response: "x" }, "x"],
    ["what VectorDBQAChain returns", { result: "x" }, "x"],
    ["a message under a key", { answer: new AIMessage("x") }, "x"],
    ["several keys", { result: "no", answer: "x", text: "no" }, "x"],
    ["messages without a word, and a key", { messages: earlier, answer: "x" }, "x"],
    ["something else", { documents: [] }, undefined],
    ["nothing", undefined, undefined],
    ["an empty string", "", undefined],
    ["a value in itself", cycle, undefined],
  ])("%s", (_what, value, text) => {
    expect(answerIn(value, new SpanTree())).toBe(text);
  });
});

describe("of a chain", () => {
  const question = ({ message }: { message: string }) => message;
  const retriever = new FakeRetriever();

  test("that rephrases the question first", async () => {
    const rephrase = ChatPromptTemplate.fromTemplate("{input}")
      .pipe(said("Rephrased?"))
      .pipe(new StringOutputParser());
    const runnable = RunnablePassthrough.assign({ context: rephrase.pipe(retriever) }).assign({
      answer: ChatPromptTemplate.fromTemplate("{input} {context}")
        .pipe(said("Because."))
        .pipe(new StringOutputParser()),
    });
    const input = ({ message }: { message: string }) => ({ input: message });
    expect(await answerOf({ runnable, input })).toBe("Because.");
  });

  test("of the classic ones", async () => {
    const model = scriptedModel((messages) => ({
      tokens: [/standalone/i.test(messages.map(({ text }) => text).join()) ? "Why?" : "Because."],
    }));
    const retrieval = ConversationalRetrievalQAChain.fromLLM(model, retriever);
    const chat_history = [new HumanMessage("a"), new AIMessage("b")];
    const turn = ({ message }: { message: string }) => ({ question: message, chat_history });
    expect(await answerOf({ runnable: retrieval, input: turn })).toBe("Because.");
    const prompt = ChatPromptTemplate.fromTemplate("{input}");
    const input = ({ message }: { message: string }) => ({ input: message });
    expect(await answerOf({ runnable: new LLMChain({ llm: model, prompt }), input })).toBe(
      "Because.",
    );
    const conversation = new ConversationChain({ llm: model });
    expect(await answerOf({ runnable: conversation, input })).toBe("Because.");
  });

  test("that returns nothing to read: the last thing spoken", async () => {
    const runnable = said("first")
      .pipe(() => "next")
      .pipe(said("last"))
      .pipe(() => ({ done: true }));
    expect(await answerOf({ runnable, input: question })).toBe("last");
  });

  test.each([
    ["a model", (first: ShapedModel) => first],
    ["a chain", (first: ShapedModel) => RunnableLambda.from(String).pipe(first)],
  ])(
    "that leaves %s unread and asks another: what the other says, whenever it stops",
    async (_of, make) => {
      const say = (...texts: string[]): Piece[] =>
        texts.map((content) => ({ message: { content }, info: { finish_reason: "stop" } }));
      const first = make(
        new ShapedModel({ provider: "x", calls: [say("No, ", "never, ", "ever.")] }),
      );
      const second = new ShapedModel({ provider: "x", calls: [say("Yes, ", "indeed.")] });
      const runnable = RunnableLambda.from(async (_input: unknown, config: RunnableConfig) => {
        for await (const _chunk of await first.stream("?", config)) break;
        await second.invoke("", config);
      });
      const live: string[] = [];
      const fold = new AnswerFold();
      const onEvent = (event: ChatEvent) => {
        fold.add(event);
        if (event.type === "token") live.push(fold.text);
      };
      expect(await answerOf({ runnable, input: question, onEvent })).toBe("Yes, indeed.");
      expect(live.filter((text) => !text.startsWith("No"))).toEqual(["Yes, ", "Yes, indeed."]);
    },
  );

  test("that returns an object where nobody spoke: its JSON, but never a graph's state", async () => {
    const object = { route: "math", at: new Date(0) };
    expect(await answerOf({ runnable: RunnableLambda.from(() => object) })).toBe(
      '{"route":"math","at":"1970-01-01T00:00:00.000Z"}',
    );
    const others: [unknown, string | undefined][] = [
      [42, "42"],
      [0, "0"],
      [true, "true"],
      [10n, "10"],
      [new Date(0), "1970-01-01T00:00:00.000Z"],
      [["a", 1], '["a",1]'],
      [{ answer: 42 }, '{"answer":42}'],
      [[], undefined],
      [{}, undefined],
      [Number.NaN, undefined],
      [new Date(Number.NaN), undefined],
      [Symbol("s"), undefined],
      [[new Document({ pageContent: "x" })], undefined],
    ];
    for (const [value, answer] of others) {
      expect(await answerOf({ runnable: RunnableLambda.from(() => value) })).toBe(answer);
    }
    const withheld = { runnable: RunnableLambda.from(() => object), stream: false };
    expect(await answerOf(withheld)).toBe('{"route":"math","at":"1970-01-01T00:00:00.000Z"}');
    const speaks = said("Spoken.").pipe(() => object);
    expect(await answerOf({ runnable: speaks })).toBe("Spoken.");
    const silent = new StateGraph(MessagesAnnotation)
      .addNode("node", () => ({}))
      .addEdge(START, "node")
      .addEdge("node", END)
      .compile();
    const { outcome } = await transcriptOf({ runnable: silent });
    expect(outcome).toMatchObject({ status: "completed", text: undefined });
  });

  test("that returns an object with documents in it: without them, where they are hidden", async () => {
    const runnable = new FakeRetriever().pipe((found) => ({
      context: found.length,
      topic: "math",
    }));
    const input = () => "question";
    expect(await answerOf({ runnable, input })).toBe('{"topic":"math"}');
    expect(await answerOf({ runnable, input, expose: "tools" })).toBe(
      '{"context":2,"topic":"math"}',
    );
    const list = new FakeRetriever().pipe((found) => found.map(() => "found"));
    expect(await answerOf({ runnable: list, input })).toBeUndefined();
    expect(await answerOf({ runnable: list, input, expose: "tools" })).toBe('["found","found"]');
    const without = RunnableLambda.from(() => ({ context: 2 }));
    expect(await answerOf({ runnable: without }), "no retriever ran").toBe('{"context":2}');
  });

  test("that its bot's `output` finds, or leaves to the rules", async () => {
    const runnable = RunnableLambda.from(() => ({ answer: "by rule", mine: "by output" }));
    const output = (value: unknown) => (value as { mine: string }).mine;
    expect(await answerOf({ runnable, output })).toBe("by output");
    expect(await answerOf({ runnable, output: () => undefined })).toBe("by rule");
    expect(await answerOf({ runnable, output: () => "" })).toBe("");
  });
});

describe("of an agent", () => {
  test("whose tools answer directly", async () => {
    const tools = [named("one", "First.", true), named("two", "Second.", true)];
    const model = scriptedModel([
      {
        tokens: ["Let me look."],
        toolCalls: [
          { name: "one", args: {}, id: "1" },
          { name: "two", args: {}, id: "2" },
        ],
      },
    ]);
    expect(await answerOf({ runnable: createAgent({ model, tools }) })).toBe("First.\n\nSecond.");
  });

  test("whose tool failed at the end: its error is for the model alone", async () => {
    const fails = tool(
      () => {
        throw new Error("the secret of the tool");
      },
      { name: "fails", description: "Fails", schema: z.object({}) },
    );
    const model = scriptedModel([calling("fails", "Let me look.")]);
    const runnable = new StateGraph(MessagesAnnotation)
      .addNode("ask", async ({ messages }, config) => ({
        messages: [await model.invoke(messages, config)],
      }))
      .addNode("tools", new ToolNode([fails]))
      .addEdge(START, "ask")
      .addEdge("ask", "tools")
      .compile();
    expect(await answerOf({ runnable })).toBe("Let me look.");
  });

  test("whose last word is empty, and said something before", async () => {
    const model = scriptedModel([calling("save", "Saved it for you."), { tokens: [] }]);
    const runnable = createAgent({ model, tools: [named("save", "ok")] });
    expect(await answerOf({ runnable })).toBe("Saved it for you.");
  });

  test("stopped by a limit: what the limit says", async () => {
    const again = named("again", "again");
    const models = modelCallLimitMiddleware({ runLimit: 1, exitBehavior: "end" });
    const runnable = createAgent({
      model: scriptedModel([calling("again")]),
      tools: [again],
      middleware: [models],
    });
    expect(await answerOf({ runnable })).toMatch(/limit/i);
    const tools = toolCallLimitMiddleware({ runLimit: 1, exitBehavior: "end" });
    const other = createAgent({
      model: scriptedModel([calling("again")]),
      tools: [again],
      middleware: [tools],
    });
    expect(await answerOf({ runnable: other })).toMatch(/limit/i);
  });

  test("that was asked for structure: neither JSON nor what says so", async () => {
    const schema = z.object({ total: z.number() }).meta({ title: "invoice" });
    const extracting = scriptedModel([
      { tokens: ["The total is three."], toolCalls: [{ name: "invoice", args: { total: 3 } }] },
    ]);
    const tools = createAgent({
      model: extracting,
      responseFormat: toolStrategy(schema),
      tools: [],
    });
    expect(await answerOf({ runnable: tools })).toBe("The total is three.");

    await using provider = await startMockProvider();
    provider.answer({ steps: ['{"total":', "3}"] });
    const model = new ChatOpenAI({
      model: "gpt-4o",
      apiKey: "none",
      configuration: { baseURL: provider.baseUrl },
    });
    const native = createAgent({ model, responseFormat: providerStrategy(schema), tools: [] });
    const { outcome, tokens } = await transcriptOf({ runnable: native });
    expect(outcome).toEqual({ status: "completed", text: undefined });
    expect(tokens).toBe("");
  });

  test("that another hands back to, which has nothing to add", async () => {
    const expert = createAgent({ name: "expert", model: said("The expert's answer."), tools: [] });
    const handBack = { name: "transfer_back_to_lead", args: {}, id: "t1" };
    const runnable = new StateGraph(MessagesAnnotation)
      .addNode("expert", expert.graph)
      .addNode("back", () => ({
        messages: [
          new AIMessage({ content: "Transferring back to lead", tool_calls: [handBack] }),
          new ToolMessage({ content: "Successfully transferred back", tool_call_id: "t1" }),
        ],
      }))
      .addNode("lead", async (state, config) => ({
        messages: [await said("").invoke(state.messages, config)],
      }))
      .addEdge(START, "expert")
      .addEdge("expert", "back")
      .addEdge("back", "lead")
      .addEdge("lead", END)
      .compile();
    expect(await answerOf({ runnable })).toBe("The expert's answer.");
  });

  test("with a node that writes the answer by itself, or a model that is tagged nostream", async () => {
    const quiet = said("quiet").withConfig({ tags: ["nostream"] });
    const runnable = new StateGraph(MessagesAnnotation)
      .addNode("think", async (state, config) => ({
        messages: [await quiet.invoke(state.messages, config)],
      }))
      .addEdge(START, "think")
      .addEdge("think", END)
      .compile();
    expect(await answerOf({ runnable })).toBe("quiet");
    const writes = new StateGraph(MessagesAnnotation)
      .addNode("write", () => ({ messages: [new AIMessage("written")] }))
      .addEdge(START, "write")
      .addEdge("write", END)
      .compile();
    expect(await answerOf({ runnable: writes })).toBe("written");
  });

  describe("with a model that is tagged nostream, and another that spoke", () => {
    const quiet = said("quiet").withConfig({ tags: ["nostream"] });
    const graph = (speaker: ShapedModel | ReturnType<typeof said>, keeps: boolean) =>
      new StateGraph(MessagesAnnotation)
        .addNode("speak", async (state, config) => {
          const message = await speaker.invoke(state.messages, config);
          return keeps ? { messages: [message] } : {};
        })
        .addNode("think", async (state, config) => ({
          messages: [await quiet.invoke(state.messages, config)],
        }))
        .addEdge(START, "speak")
        .addEdge("speak", "think")
        .addEdge("think", END)
        .compile();

    test.each([
      ["whose message is in the state", true],
      ["whose message is in no state", false],
    ])("%s: what was spoken", async (_whose, keeps) => {
      expect(await answerOf({ runnable: graph(said("spoken"), keeps) })).toBe("spoken");
    });

    test("nothing but a line break: what the quiet one said", async () => {
      expect(await answerOf({ runnable: graph(said("\n"), false) })).toBe("quiet");
    });
  });

  describe.each([
    ["by its id", (id: string) => id],
    ["with all others", () => REMOVE_ALL_MESSAGES],
  ])("whose guard removes what was spoken, %s", (_how, idFor) => {
    const guarded = (kept: (message: BaseMessage) => BaseMessage[]) =>
      new StateGraph(MessagesAnnotation)
        .addNode("speak", async (state, config) => ({
          messages: [await said("spoken").invoke(state.messages, config)],
        }))
        .addNode("guard", ({ messages }) => {
          const last = messages.at(-1);
          if (last?.id === undefined) throw new Error("no message");
          return { messages: [new RemoveMessage({ id: idFor(last.id) }), ...kept(last)] };
        })
        .addEdge(START, "speak")
        .addEdge("speak", "guard")
        .addEdge("guard", END)
        .compile();

    test.each([true, false])("has no answer, with stream: %s", async (stream) => {
      const runnable = guarded(() => []);
      const { outcome } = await transcriptOf({ runnable, stream });
      expect(outcome).toEqual({ status: "completed", text: "" });
    });

    test("has the guard's, where that says something", async () => {
      const runnable = guarded(() => [new AIMessage("not that")]);
      expect(await answerOf({ runnable })).toBe("not that");
    });
  });

  test("whose state is written anew, with what was spoken: what was spoken", async () => {
    const runnable = new StateGraph(MessagesAnnotation)
      .addNode("speak", async (state, config) => ({
        messages: [await said("spoken").invoke(state.messages, config)],
      }))
      .addNode("forget", ({ messages }) => ({
        messages: [new RemoveMessage({ id: REMOVE_ALL_MESSAGES }), ...messages.slice(-1)],
      }))
      .addNode("clear", async ({ messages }, config) => {
        const removal = new RemoveMessage({ id: messages.at(-1)?.id ?? "" });
        // What it thinks of, and does not do.
        await RunnableLambda.from(() => ({ messages: [removal] })).invoke("", config);
        return {};
      })
      .addEdge(START, "speak")
      .addEdge("speak", "forget")
      .addEdge("forget", "clear")
      .addEdge("clear", END)
      .compile();
    const withoutState = runnable.pipe(() => ({ done: true }));
    expect(await answerOf({ runnable })).toBe("spoken");
    expect(await answerOf({ runnable: withoutState, input: () => ({ messages: [] }) })).toBe(
      "spoken",
    );
  });

  test("that keeps its state in a command", async () => {
    const runnable = new StateGraph(MessagesAnnotation)
      .addNode(
        "a",
        () => new Command({ goto: "b", update: { messages: [new AIMessage("from a")] } }),
        {
          ends: ["b"],
        },
      )
      .addNode("b", () => ({}))
      .addEdge(START, "a")
      .addEdge("b", END)
      .compile();
    expect(await answerOf({ runnable })).toBe("from a");
  });
});

test("of servers that have one id for all answers: who spoke is told by the text", async () => {
  const saying = (text: string) => {
    const piece = { message: { content: text, id: "always-this" } };
    return new ShapedModel({ provider: "custom", calls: [[piece]] });
  };
  const runnable = RunnableLambda.from(async (_input: unknown, config) => {
    const answer = await saying("Yes.").invoke("hi", config);
    await saying("By the way.").invoke("hi", config);
    await saying("router").invoke("hi", { ...config, runName: "router" });
    return { messages: [answer] };
  });
  const speaks = ({ name }: { name: string }) => name !== "router";
  expect(await answerOf({ runnable, speaks })).toBe("Yes.");
});

describe("of several candidates", () => {
  const piece = (text: string, candidate: number): Piece => ({
    message: { content: text },
    candidate,
  });
  const pieces = [piece("one", 0), piece("uno", 1), piece(" two", 0), piece(" dos", 1)];

  test.each([
    ["with chunks", pieces],
    ["without", pieces.map((one) => ({ ...one, withoutChunk: true }))],
  ])("the first is the answer, not LangChain's mixture of all: %s", async (_of, calls) => {
    const model = new ShapedModel({ provider: "custom", calls: [calls], candidates: 2 });
    expect(await answerOf({ runnable: model })).toBe("one two");
    expect(await answerOf({ runnable: model.pipe(new StringOutputParser()) })).toBe("one two");
  });

  test("in stream events nothing tells them apart: the run fails, and says so", async () => {
    const model = new ShapedModel({ provider: "custom", calls: [pieces], candidates: 2 });
    const callbacks = [new PrefersStreamEvents()];
    const { outcome, tokens } = await transcriptOf({ runnable: model, callbacks });
    expect(outcome).toMatchObject({ status: "failed", error: { code: "BOT_FAILED" } });
    expect(tokens).toBe("");
  });
});

class PrefersStreamEvents extends BaseCallbackHandler {
  readonly name = "prefers-stream-events";
  readonly lc_prefer_chat_model_stream_events = true;
}
