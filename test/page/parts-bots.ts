/** Bots whose answers are made of more than text. */
import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import { Document } from "@langchain/core/documents";
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import { FakeRetriever } from "@langchain/core/utils/testing";
import { tool } from "langchain";
import { z } from "zod";
import { defineBot } from "../../src/bots/bot.ts";
import { type Piece, ShapedModel } from "../support/shaped-model.ts";

const says = (content: string): Piece => ({ message: { content } });
const thinks = (reasoning_content: string): Piece => ({
  message: { additional_kwargs: { reasoning_content } },
});
const writes = (more: { id?: string; name?: string; args: string }): Piece => ({
  message: { tool_call_chunks: [{ index: 0, type: "tool_call_chunk", ...more }] },
});

/** Stops in the middle of a call that it writes, and goes on when it may. */
class SlowWriter extends ShapedModel {
  readonly until: Promise<void>;

  constructor(until: Promise<void>) {
    const info = { finish_reason: "tool_calls" };
    const call = { id: "c1", name: "search", args: '{"query":"the price ' };
    const middle = [thinks("Let me think."), says("Let me look."), writes(call)];
    super({ provider: "openai", calls: [[...middle, { ...writes({ args: 'of soda"}' }), info }]] });
    this.until = until;
  }

  override async *_streamResponseChunks(
    ...given: Parameters<ShapedModel["_streamResponseChunks"]>
  ): ReturnType<ShapedModel["_streamResponseChunks"]> {
    let count = 0;
    for await (const chunk of super._streamResponseChunks(...given)) {
      if (count++ === 3) await this.until;
      yield chunk;
    }
  }
}

/** @param until what it waits for in the middle of a call that it writes */
export function partsBot(until: Promise<void>) {
  const search = tool(() => ["Soda costs 2 €.", { rows: [{ price: 2 }] }], {
    name: "search",
    description: "",
    schema: z.object({ query: z.string() }),
    responseFormat: "content_and_artifact",
  });
  const documents = [
    new Document({
      pageContent: "Soda costs 2 €.",
      metadata: { source: "https://shop.example/soda", title: "The shop" },
    }),
    new Document({ pageContent: "x", metadata: { title: "Evil", url: "javascript:alert(1)" } }),
  ];
  const last = new ShapedModel({
    provider: "openai",
    calls: [[says("Soda costs **2 €**."), { info: { finish_reason: "stop" } }]],
  });
  return defineBot({
    ...{ id: "parts", title: "Parts", description: "Has them all.", expose: "all" },
    input: ({ message }) => message,
    runnable: RunnableLambda.from(async (_: string, config: RunnableConfig) => {
      await new SlowWriter(until).invoke("go", config);
      const args = { query: "the price of soda" };
      await search.invoke({ type: "tool_call", id: "c1", name: "search", args }, config);
      await new FakeRetriever({ output: documents }).invoke("soda", config);
      await dispatchCustomEvent("prices", { list: Array(5).fill("x".repeat(6_000)) }, config);
      return await last.invoke("go", config);
    }),
  });
}

/** Names, titles and texts that are long, turn directions, and are very many. */
export function hostileBot() {
  const long = "x".repeat(3_000);
  const odd = "a\u202Eb";
  const named = tool(() => long, { name: `${odd}${long}`, schema: z.object({}) });
  return defineBot({
    ...{ id: "hostile", title: "Hostile", description: "", expose: "all" },
    input: ({ message }) => message,
    runnable: RunnableLambda.from(async (_: string, config: RunnableConfig) => {
      await named.invoke({}, config);
      const output = Array.from({ length: 40 }, (_, index) => {
        const metadata = { title: `${odd} ${long}`, source: `https://${index}.example/${long}` };
        return new Document({ pageContent: long, metadata });
      });
      await new FakeRetriever({ output }).invoke(long, config);
      for (let count = 0; count < 300; count++) {
        await dispatchCustomEvent(`${odd} ${count}`, { count }, config);
      }
      return "Done.";
    }),
  });
}
