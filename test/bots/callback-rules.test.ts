/**
 * What is made of the callbacks, one call at a time and in the orders that LangChain promises nowhere:
 * what another version, a package or a bot's own handlers may call.
 */
import { AIMessageChunk } from "@langchain/core/messages";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import { RunnableLambda } from "@langchain/core/runnables";
import { describe, expect, test } from "vitest";
import { defineBot, type Expose } from "../../src/bots/bot.ts";
import { EventCallbacks } from "../../src/bots/run/callbacks.ts";
import { type SpanEvent, SpanWriter } from "../../src/bots/run/span-writer.ts";
import { StateEvents } from "../../src/bots/run/state/state-events.ts";

function begin(expose: Expose = "tools") {
  const events: SpanEvent[] = [];
  const runnable = RunnableLambda.from(() => "");
  const bot = defineBot({ id: "bot", title: "Bot", description: "", runnable, expose });
  const writer = new SpanWriter({ runId: "r", expose, emit: (event) => events.push(event) });
  const state = new StateEvents(writer, { schemas: {} });
  const options = { bot, state, exchange: undefined, maxFileCharacters: undefined };
  const callbacks = new EventCallbacks(writer, options);
  const lc = { lc: 1, type: "not_implemented" as const, id: ["x"] };
  const told = () => events.map(({ type, spanId }) => `${type} ${spanId}`);
  return {
    events,
    writer,
    callbacks,
    told,
    chain: (id: string, parentId?: string, tags?: string[]) =>
      callbacks.handleChainStart(lc, {}, id, parentId, tags),
    model: (id: string, parentId?: string, params: object = {}, tags?: string[]) =>
      callbacks.handleChatModelStart(lc, [], id, parentId, { invocation_params: params }, tags),
    tool: (id: string, parentId?: string, tags?: string[]) =>
      callbacks.handleToolStart(lc, "{}", id, parentId, tags),
    retriever: (id: string, parentId?: string, tags?: string[]) =>
      callbacks.handleRetrieverStart(lc, "q", id, parentId, tags),
    says: (id: string, fields: ConstructorParameters<typeof AIMessageChunk>[0], completion = 0) => {
      const message = new AIMessageChunk(fields);
      const chunk = new ChatGenerationChunk({ text: message.text, message });
      const at = { prompt: 0, completion };
      callbacks.handleLLMNewToken(message.text, at, id, undefined, undefined, { chunk });
    },
    streams: (id: string, text: string) =>
      callbacks.handleChatModelStreamEvent(
        { event: "content-block-delta", index: 0, delta: { type: "text-delta", text } },
        id,
      ),
  };
}

const boom = () => new Error("boom");

describe("of the two ways of streaming the first to come counts", () => {
  test.each(["tokens", "events"] as const)("%s", (first) => {
    const { model, says, streams, events } = begin();
    model("m");
    for (const text of ["a", "b"]) {
      if (first === "events") streams("m", text);
      says("m", { content: text });
      if (first === "tokens") streams("m", text);
    }
    expect(events.flatMap((event) => (event.type === "token" ? [event.text] : []))).toEqual([
      "a",
      "b",
    ]);
  });
});

describe("of several candidates", () => {
  const call = { content: "", tool_call_chunks: [{ index: 0, id: "1", name: "add", args: "{}" }] };

  test("the first is said, and none of their calls is shown as it is written", () => {
    const { model, says, told } = begin();
    model("m", undefined, { n: 2 });
    says("m", { content: "one" });
    says("m", { content: "two" }, 1);
    says("m", call);
    expect(told()).toEqual(["llmStart m", "token m"]);
  });

  test("a single one's call is", () => {
    const { model, says, told } = begin();
    model("m", undefined, { n: 1 });
    says("m", call);
    expect(told()).toEqual(["llmStart m", "toolInput m", "toolInput m"]);
  });
});

test.each(["tokens", "events"] as const)(
  "what a model says after its end, or after it failed, is not said: %s",
  (way) => {
    const { model, says, streams, told, callbacks } = begin();
    const say = (id: string) => (way === "tokens" ? says(id, { content: "x" }) : streams(id, "x"));
    const message = new AIMessageChunk({ content: "x" });
    const ends = {
      ended: () =>
        callbacks.handleLLMEnd({ generations: [[{ text: "x", message }]] } as never, "ended"),
      failed: () => callbacks.handleLLMError(boom(), "failed"),
    };
    for (const [id, end] of Object.entries(ends)) {
      model(id);
      say(id);
      end();
      const before = told();
      say(id);
      end();
      expect(told()).toEqual(before);
    }
    say("never began");
    expect(told().filter((line) => line.startsWith("token"))).toEqual([
      "token ended",
      "token failed",
    ]);
  },
);

test("what is counted on the way is known of a call that is cut, and is the end's count where it ends", () => {
  const { model, says, callbacks } = begin();
  const counted = (output_tokens: number, input_tokens = 0) => ({
    content: "x",
    usage_metadata: { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens },
  });
  model("m");
  says("m", counted(1, 5));
  says("m", counted(2));
  expect(callbacks.models.usage).toEqual({ inputTokens: 5, outputTokens: 3, totalTokens: 8 });
  model("other");
  says("other", counted(4, 1));
  callbacks.handleLLMError(boom(), "other");
  expect(callbacks.models.usage).toEqual({ inputTokens: 6, outputTokens: 7, totalTokens: 13 });
  const message = new AIMessageChunk({ ...counted(9, 5), response_metadata: {} });
  callbacks.handleLLMEnd({ generations: [[{ text: "x", message }]] } as never, "m");
  expect(callbacks.models.usage).toEqual({ inputTokens: 6, outputTokens: 13, totalTokens: 19 });
});

describe("a span that is hidden", () => {
  const plumbing = ["langsmith:hidden"];
  const kinds = ["chain", "tool", "retriever"] as const;

  test.each(kinds)("says nothing of its own as a %s, whether it ends or fails", (kind) => {
    const world = begin();
    world.chain("root");
    const before = world.told();
    world[kind]("a", "root", plumbing);
    world[kind]("b", "root", plumbing);
    const { callbacks } = world;
    const ends = {
      chain: () => callbacks.handleChainEnd("x", "a"),
      tool: () => callbacks.handleToolEnd("x", "a"),
      retriever: () => callbacks.handleRetrieverEnd([], "a"),
    };
    const fails = {
      chain: () => callbacks.handleChainError(boom(), "b"),
      tool: () => callbacks.handleToolError(boom(), "b"),
      retriever: () => callbacks.handleRetrieverError(boom(), "b"),
    };
    ends[kind]();
    fails[kind]();
    expect(world.told()).toEqual(before);
  });

  test("has what is in it shown in what is around it", () => {
    const { chain, model, events } = begin();
    chain("root");
    chain("hidden", "root", plumbing);
    model("m", "hidden", {}, plumbing);
    expect(events.at(-1)).toMatchObject({ type: "llmStart", parentSpanId: "root" });
  });

  test("shows where everything does", () => {
    const { chain, callbacks, told } = begin("all");
    chain("root");
    chain("hidden", "root", plumbing);
    callbacks.handleChainError(boom(), "hidden");
    expect(told()).toEqual(["chainStart root", "chainStart hidden", "error hidden"]);
  });
});

describe("an interrupt", () => {
  const thrown = (...interrupts: { id?: string; value: unknown }[]) =>
    Object.assign(new Error("stop"), { is_bubble_up: true, interrupts });
  const questions = (events: readonly SpanEvent[]) =>
    events.flatMap((event) => (event.type === "custom" ? [event.data] : []));

  test("is asked once, whatever it passes through, and nothing has failed", () => {
    const { chain, tool, callbacks, events, told } = begin();
    chain("graph");
    chain("node", "graph");
    tool("t", "node");
    const stop = thrown({ id: "1", value: "Sure?" }, { id: "2", value: "Really?" });
    callbacks.handleToolError(stop, "t");
    // LangGraph makes another one of it on the way.
    callbacks.handleChainError(thrown({ id: "1", value: "Sure?" }), "node");
    callbacks.handleChainError(thrown({ id: "2", value: "Really?" }), "graph");
    expect(questions(events)).toEqual(["Sure?", "Really?"]);
    expect(told().slice(-3)).toEqual(["toolEnd t", "chainEnd node", "chainEnd graph"]);
  });

  test("of the same words is another one by its id", () => {
    const { chain, callbacks, events } = begin();
    for (const id of ["a", "b"]) {
      chain(id);
      callbacks.handleChainError(thrown({ id, value: "Sure?" }), id);
    }
    expect(questions(events)).toEqual(["Sure?", "Sure?"]);
  });

  test("that was answered inside is none of the run's; one that was refused is", () => {
    const { writer } = begin();
    const { interrupts } = writer;
    expect(interrupts.leftOpen("x", true)).toBe(false);
    interrupts.stops(thrown({ value: "Sure?" }), () => {});
    expect([interrupts.leftOpen("x", true), interrupts.leftOpen("x", false)]).toEqual([
      ...[false, true],
    ]);
    expect(interrupts.leftOpen({ __interrupt__: [] }, true)).toBe(true);
    interrupts.refused = true;
    expect(interrupts.leftOpen("x", true)).toBe(true);
  });

  test("hands over without a question, and any other error fails", () => {
    const { chain, callbacks, told } = begin();
    chain("a");
    chain("b");
    callbacks.handleChainError(Object.assign(new Error("go"), { is_bubble_up: true }), "a");
    callbacks.handleChainError(Object.assign(new Error("go"), { is_bubble_up: "yes" }), "b");
    expect(told()).toEqual(["chainStart a", "chainStart b", "chainEnd a", "error b"]);
  });
});

describe("what a model said before it failed", () => {
  function twoBranches() {
    const world = begin();
    world.chain("root");
    for (const branch of ["left", "right"]) {
      world.chain(branch, "root");
      world.model(`m-${branch}`, branch);
      world.says(`m-${branch}`, { content: "half" });
    }
    const resets = () => world.told().filter((line) => line.startsWith("reset"));
    return { ...world, resets };
  }

  test("is void, once, when what is around it goes on, and not when another branch does", () => {
    const { callbacks, resets } = twoBranches();
    callbacks.handleLLMError(boom(), "m-left");
    expect(resets()).toEqual([]);
    callbacks.handleChainEnd("x", "right");
    expect(resets()).toEqual([]);
    callbacks.handleChainEnd("x", "left");
    expect(resets()).toEqual(["reset m-left"]);
    callbacks.handleChainEnd("x", "root");
    expect(resets()).toEqual(["reset m-left"]);
  });

  test("is void when another model begins in its place", () => {
    const { callbacks, model, resets } = twoBranches();
    callbacks.handleLLMError(boom(), "m-left");
    model("fallback", "left");
    expect(resets()).toEqual(["reset m-left"]);
  });

  test("stays where everything around it fails, too, and where nobody saw it", () => {
    const { callbacks, model, says, resets } = twoBranches();
    model("silent", "right", {}, ["nostream"]);
    says("silent", { content: "aside" });
    for (const id of ["m-left", "silent"]) callbacks.handleLLMError(boom(), id);
    for (const id of ["left", "right", "root"]) callbacks.handleChainError(boom(), id);
    expect(resets()).toEqual([]);
  });
});
