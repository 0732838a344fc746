/**
 * A bot that does what its message says: models that reason, speak, write calls, give sources and fail;
 * fallbacks; tools that say how far they are; searches; data and state; all of it one after another or at
 * the same time; and an end. So a run of any shape comes about as LangChain makes it.
 */
import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import { Document } from "@langchain/core/documents";
import type { BaseMessage } from "@langchain/core/messages";
import type { ChatGenerationChunk } from "@langchain/core/outputs";
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import { FakeRetriever } from "@langchain/core/utils/testing";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import fc from "fast-check";
import { tool } from "langchain";
import { z } from "zod";
import { defineBot } from "../../src/bots/bot.ts";
import { type Piece, ShapedModel } from "../support/shaped-model.ts";

export type Act =
  | { readonly act: "model"; readonly pieces: readonly Said[]; readonly fallback: Said[] | null }
  | {
      readonly act: "tool";
      readonly callId: string | null;
      readonly says: readonly string[];
      readonly artifact: boolean;
      readonly fails: boolean;
    }
  | { readonly act: "search"; readonly found: readonly string[] }
  | { readonly act: "custom" | "state"; readonly value: number }
  | { readonly act: "together"; readonly branches: readonly Act[][] };

/** One piece of what a model gives. */
type Said =
  | { readonly text: string }
  | { readonly thought: string }
  | { readonly call: string; readonly name: boolean; readonly args: string }
  | { readonly source: string }
  | { readonly ran: string };

export interface Script {
  readonly acts: readonly Act[];
  readonly end: "said" | "other" | "nothing" | "failed" | "cancelled";
}

/** What a run sends when it wants to be cancelled. */
export const cancelMe = "cancel-me";

const word = fc.constantFrom("a", " b", "\n", "ü ", "🙂", "");
const callId = fc.constantFrom("1", "2");
const place = fc.constantFrom("https://a.example", "https://b.example");
const said: fc.Arbitrary<Said> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ text: word }) },
  { weight: 2, arbitrary: fc.record({ thought: word }) },
  {
    weight: 2,
    arbitrary: fc.record({
      call: callId,
      name: fc.boolean(),
      args: fc.constantFrom('{"q"', ":1}", "{}"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ source: place }) },
  { weight: 1, arbitrary: fc.record({ ran: callId }) },
);
const pieces = fc.array(said, { maxLength: 6 });
const { act } = fc.letrec<{ act: Act }>((tie) => ({
  act: fc.oneof(
    { maxDepth: 2 },
    {
      weight: 4,
      arbitrary: fc.record({
        act: fc.constant("model"),
        pieces,
        /** Set: it fails behind its pieces, and another speaks in its place. */
        fallback: fc.option(pieces),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        act: fc.constant("tool"),
        callId: fc.option(callId),
        says: fc.array(word, { maxLength: 3 }),
        artifact: fc.boolean(),
        fails: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        act: fc.constant("search"),
        found: fc.array(place, { maxLength: 2 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        act: fc.constantFrom("custom" as const, "state" as const),
        value: fc.nat({ max: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        act: fc.constant("together"),
        branches: fc.array(fc.array(tie("act"), { maxLength: 3 }), { minLength: 2, maxLength: 3 }),
      }),
    },
  ) as fc.Arbitrary<Act>,
}));

export const scripts: fc.Arbitrary<Script> = fc.record({
  acts: fc.array(act, { maxLength: 6 }),
  end: fc.constantFrom("said", "said", "other", "nothing", "failed", "cancelled"),
});

export const randomBot = defineBot({
  id: "random",
  title: "Random",
  description: "Does what it is told.",
  expose: "all",
  state: { page: z.number() },
  input: ({ message }) => message,
  runnable: RunnableLambda.from(async (message: string, config: RunnableConfig) => {
    const script = JSON.parse(message) as Script;
    for (const one of script.acts) await play(one, config);
    switch (script.end) {
      case "said":
        return {};
      case "other":
        return "Nobody said this.";
      case "nothing":
        return "";
      case "failed":
        throw new Error("as the script says");
      case "cancelled": {
        await dispatchCustomEvent(cancelMe, {}, config);
        const { promise, reject } = Promise.withResolvers<never>();
        config.signal?.addEventListener("abort", () => reject(new Error("cancelled")));
        return await promise;
      }
    }
  }),
});

async function play(one: Act, config: RunnableConfig): Promise<void> {
  switch (one.act) {
    case "model":
      await ask(one, config);
      return;
    case "tool":
      await use(one, config);
      return;
    case "search": {
      const output = one.found.map(
        (url) => new Document({ pageContent: `Of ${url}`, metadata: { source: url } }),
      );
      await new FakeRetriever({ output }).invoke("soda", config);
      return;
    }
    case "custom":
      await dispatchCustomEvent("page", { value: one.value }, config);
      return;
    case "state":
      (config as LangGraphRunnableConfig).writer?.({ page: one.value });
      return;
    case "together":
      await Promise.all(
        one.branches.map(async (branch) => {
          for (const inner of branch) {
            await play(inner, config);
            await new Promise(setImmediate);
          }
        }),
      );
  }
}

class BreakingModel extends ShapedModel {
  override async *_streamResponseChunks(
    messages: BaseMessage[],
    ...more: [options: this["ParsedCallOptions"], runManager?: never]
  ): AsyncGenerator<ChatGenerationChunk> {
    yield* super._streamResponseChunks(messages, ...more);
    throw new Error("the model broke");
  }
}

async function ask(
  { pieces: first, fallback }: Extract<Act, { act: "model" }>,
  config: RunnableConfig,
): Promise<void> {
  const modelOf = (all: readonly Said[]) => ({ provider: "openai", calls: [all.map(pieceOf)] });
  const model =
    fallback === null
      ? new ShapedModel(modelOf(first))
      : new BreakingModel(modelOf(first)).withFallbacks([new ShapedModel(modelOf(fallback))]);
  // A model that gives nothing at all has failed, and the run goes on.
  await model.invoke("go on", config).catch(() => {});
}

function pieceOf(one: Said): Piece {
  if ("text" in one) return { message: { content: one.text } };
  if ("thought" in one) {
    return { message: { additional_kwargs: { reasoning_content: one.thought } } };
  }
  if ("source" in one) {
    const annotations = [{ url_citation: { url: one.source, title: "A" } }];
    return { message: { additional_kwargs: { annotations } } };
  }
  if ("ran" in one) {
    const outputs = [{ type: "web_search_call", id: `web ${one.ran}` }];
    return { message: { additional_kwargs: { tool_outputs: outputs } } };
  }
  const { call, name, args } = one;
  const chunk = { index: Number(call), args, type: "tool_call_chunk" as const };
  return {
    message: {
      tool_call_chunks: [{ ...chunk, ...(name && { id: `call ${call}`, name: "work" }) }],
    },
  };
}

async function use(
  { callId, says, artifact, fails }: Extract<Act, { act: "tool" }>,
  config: RunnableConfig,
): Promise<void> {
  const text = { type: "text", text: "done" };
  const image = { type: "image", mimeType: "image/png", data: "aGVsbG8=" };
  const work = tool(
    async function* () {
      yield* says;
      if (fails) throw new Error("the tool broke");
      return artifact ? [[text, image], { rows: [1] }] : ["done", undefined];
    },
    { name: "work", description: "", schema: z.object({}), responseFormat: "content_and_artifact" },
  );
  const call = { type: "tool_call", id: `call ${callId}`, name: "work", args: {} } as const;
  const working = callId === null ? work.invoke({}, config) : work.invoke(call, config);
  await working.catch(() => {});
}
