/** The columns of whole answers: text, reasoning, tools, structure, what comes beside the text, memory. */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect } from "vitest";
import { z } from "zod";
import { billed } from "../mocks/provider-protocol.ts";
import { type Column, callOf, done, expectAnswer, expectNoArguments, secret } from "./column.ts";
import type { StructuredMethod } from "./rows.ts";

export const answerColumns: readonly Column[] = [
  {
    name: "text",
    async check({ provider, talk }) {
      provider.answer({ steps: ["Hello, ", "wor", "ld."] });
      const seen = await (await talk()).send("hi");
      expectAnswer(seen, "Hello, world.");
      expect(seen.tokens).toBe("Hello, world.");
      expect(seen.of("llmEnd")[0]?.finishReason).toBeDefined();
    },
  },
  {
    name: "reasoning",
    async check({ provider, talk }) {
      provider.answer({ steps: [{ reasoning: "I " }, { reasoning: "think." }, "The ", "answer."] });
      const seen = await (await talk()).send("hi");
      expectAnswer(seen, "The answer.");
      expect(seen.tokens).toBe("The answer.");
      expect(seen.reasoning).toBe("I think.");
    },
  },
  {
    name: "one tool",
    async check({ provider, talkToAgent }) {
      provider.answer({ steps: ["Let me ", "look. ", callOf(secret)] });
      provider.answer(done);
      const seen = await (await talkToAgent()).send("hi");
      expectAnswer(seen, "Done.");
      expect(seen.tokens).toBe("Let me look. Done.");
      expect(seen.of("toolStart")).toMatchObject([{ name: "look_up" }]);
      expect(seen.of("toolEnd")).toHaveLength(1);
      expect(seen.of("agentAction")).toMatchObject([{ tool: "look_up" }]);
      expect(provider.calls[1]?.lastText).toContain(`row ${secret}`);
    },
  },
  {
    name: "a call while it is written",
    async check({ provider, talkToAgent }) {
      provider.answer({ steps: [callOf("a"), callOf("b")] });
      provider.answer(done);
      const seen = await (await talkToAgent({ expose: "tools" })).send("hi");
      const written = Map.groupBy(seen.of("toolInput"), ({ toolCallId }) => toolCallId);
      const ids = seen.of("toolStart").map(({ toolCallId }) => toolCallId);
      expect([...written.keys()].sort()).toEqual(ids.sort());
      const args = [...written.values()].map((pieces) => pieces.map(({ text }) => text).join(""));
      expect(args.map((text) => JSON.parse(text))).toEqual([{ key: "a" }, { key: "b" }]);
      for (const [first] of written.values()) expect(first?.name).toBe("look_up");
    },
  },
  {
    name: "parallel tools",
    async check({ provider, talkToAgent }) {
      provider.answer({ steps: [callOf("a"), callOf("b")] });
      provider.answer(done);
      const bothRun = Promise.withResolvers<void>();
      const running = new Set<string>();
      const lookUp = async (key: string): Promise<string> => {
        if (running.add(key).size === 2) bothRun.resolve();
        await bothRun.promise;
        return `row ${key}`;
      };
      const conversation = await talkToAgent({ lookUp });
      const seen = await conversation.send("hi");
      expectAnswer(seen, "Done.");
      const ids = seen.of("toolStart").map(({ toolCallId }) => toolCallId);
      expect(new Set(ids).size, "each call has an id of its own").toBe(2);
      const results = provider.calls[1]?.turns.filter(({ role }) => role === "tool");
      expect(results?.map(({ text }) => /row [ab]/.exec(text)?.[0])).toEqual(["row a", "row b"]);
    },
  },
  {
    name: "two tools, and the next turn",
    async check({ provider, talkToAgent }) {
      provider.answer({ steps: [callOf("a"), callOf("b")] });
      provider.answer(done);
      provider.answer(done);
      const conversation = await talkToAgent();
      await conversation.send("hi");
      expectAnswer(await conversation.send("and?"), "Done.");
      const turns = provider.calls[2]?.turns.map(({ text }) => /row [ab]/.exec(text)?.[0] ?? text);
      expect(turns?.filter((text) => text !== "")).toEqual([
        "hi",
        "row a",
        "row b",
        "Done.",
        "and?",
      ]);
    },
  },
  {
    name: "empty last word",
    async check({ provider, talkToAgent }) {
      provider.answer({ steps: ["Looking it up.", callOf("a")] });
      provider.answer({ steps: [] });
      const seen = await (await talkToAgent()).send("hi");
      expectAnswer(seen, "Looking it up.");
    },
  },
  {
    name: "empty, nothing said",
    async check({ provider, talkToAgent }) {
      provider.answer({ steps: [callOf("a")] });
      provider.answer({ steps: [] });
      const seen = await (await talkToAgent()).send("hi");
      expectAnswer(seen, "");
    },
  },
  structured("functionCalling"),
  structured("jsonSchema"),
  structured("jsonMode"),
  {
    name: "image",
    lacks: (row) => lacksUnless(row.gives.includes("image")),
    async check({ provider, talk }) {
      // A GIF of one pixel, as far as it matters here.
      const image = { mimeType: "image/gif", base64: "R0lGODlhAQABAAAAACwAAAAAAQABAAA=" };
      provider.answer({ steps: ["A drawing.", { image }] });
      const seen = await (await talk()).send("hi");
      expectAnswer(seen, "A drawing.");
      const [told] = seen.of("llmEnd")[0]?.content ?? [];
      expect(told).toMatchObject({ type: "file", kind: "image", bytes: 23 });
      expect(JSON.stringify(seen.events), "bytes stay on the server").not.toContain("R0lGOD");
    },
  },
  {
    name: "source",
    lacks: (row) => lacksUnless(row.gives.includes("source")),
    async check({ provider, talk }) {
      const source = { url: "https://example.com/soda", title: "Soda" };
      provider.answer({ steps: ["It fizzes.", { source }] });
      const seen = await (await talk()).send("hi");
      expectAnswer(seen, "It fizzes.");
      expect(seen.of("llmEnd")[0]?.content).toEqual([{ type: "source", ...source }]);
    },
  },
  {
    name: "refusal",
    lacks: (row) => lacksUnless(row.gives.includes("refusal")),
    async check({ provider, talk }) {
      provider.answer({ steps: [{ refusal: "I will not say that." }] });
      expectAnswer(await (await talk()).send("hi"), "I will not say that.");
    },
  },
  {
    name: "usage",
    async check({ provider, row, talk, talkToAgent }) {
      provider.answer(done);
      const { end } = await (await talk()).send("hi");
      const { input, output } = billed;
      const counted = { inputTokens: input, outputTokens: output, totalTokens: input + output };
      expect(end.usage).toEqual({ ...counted, ...row.counts });
      provider.answer({ steps: [callOf("a")] });
      provider.answer(done);
      const both = await (await talkToAgent()).send("hi");
      expect(both.end.usage).toMatchObject({ inputTokens: 2 * input, outputTokens: 2 * output });
    },
  },
  {
    name: "second turn",
    async check({ provider, talkToAgent }) {
      provider.answer({ steps: ["Let me look. ", callOf("a")] });
      provider.answer({ steps: ["It is one."] });
      provider.answer({ steps: ["It is two."] });
      const conversation = await talkToAgent();
      expectAnswer(await conversation.send("one?"), "It is one.");
      const second = await conversation.send("two?");
      expectAnswer(second, "It is two.");
      expect(second.history).toEqual(["one?", "It is one.", "two?", "It is two."]);
      // Packages put a result into words of their own, and some drop the text beside a call.
      const asked = provider.calls[2]?.turns.map(({ role, text }) => `${role} ${text}`);
      expect(asked).toEqual([
        "human one?",
        expect.stringMatching(/^ai /),
        expect.stringMatching(/^tool .*row a/),
        "ai It is one.",
        "human two?",
      ]);
    },
  },
];

const lacksUnless = (has: boolean): string | undefined =>
  has ? undefined : "the protocol has no such thing";

/** A graph's router or a chain's step: what it decides is no text of the answer. */
function structured(method: StructuredMethod): Column {
  return {
    name: method,
    lacks: (row) =>
      row.structured.includes(method) ? undefined : "the package has no such method",
    async check({ provider, model, talk }) {
      const route = { route: secret };
      provider.answer(({ structured: asked }) =>
        asked?.by === "tool"
          ? { steps: [{ toolCall: asked.name, args: route }] }
          : { steps: JSON.stringify(route).match(/.{1,9}/g) ?? [] },
      );
      const router = model.withStructuredOutput(z.object({ route: z.string() }), { method });
      const chain = RunnableLambda.from(async (_input: unknown, config) => {
        const decided = await router.invoke("Which way? Answer in JSON.", config);
        return decided.route === secret ? "Routed." : `Routed to ${JSON.stringify(decided)}`;
      });
      const seen = await (await talk(chain)).send("hi");
      expect(provider.calls[0]?.structured).toBeDefined();
      expect(seen.end).toMatchObject({ status: "completed", text: "Routed." });
      expect(seen.tokens).toBe("");
      expectNoArguments(seen);
    },
  };
}
