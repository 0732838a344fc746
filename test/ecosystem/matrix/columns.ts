/** The columns of the matrix: what a user must see, whichever package the model comes from. */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect } from "vitest";
import { z } from "zod";
import type { ErrorCode } from "../../../src/protocol/errors.ts";
import type { Seen } from "../conversation.ts";
import { type Answer, billed, Refusal } from "../mocks/provider-protocol.ts";
import type { Row, StructuredMethod } from "./rows.ts";
import { chunkCounter, type Setting } from "./setting.ts";

export interface Column {
  readonly name: string;
  /** Why a row has no such cell. */
  readonly lacks?: (row: Row) => string | undefined;
  readonly check: (setting: Setting) => Promise<void>;
}

const secret = "SECRET ARGUMENT";
const callOf = (key: string) => ({ toolCall: "look_up", args: { key } });
const done: Answer = { steps: ["Do", "ne."] };

/** A run that ended well: what was shown is what the run ended with. */
function expectAnswer(seen: Seen, text: string): void {
  expect(seen.end).toMatchObject({ status: "completed", text });
  expect(seen.live, "the answer while it is made").toBe(text);
  expectNoArguments(seen);
}

function expectNoArguments(seen: Seen): void {
  expect(seen.tokens).not.toContain("SECRET");
  expect(seen.end.text).not.toContain("SECRET");
}

export const columns: readonly Column[] = [
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
    name: "cut",
    async check({ provider, talk }) {
      provider.answer({ steps: ["Half ", "an ", "cut"] });
      const { end, live } = await (await talk()).send("hi");
      expect(end).toMatchObject({
        status: "failed",
        text: "Half an ",
        error: { code: "PROVIDER_ERROR", retryable: true },
      });
      expect(live).toBe("Half an ");
    },
  },
  {
    name: "no finish reason",
    async check({ provider, talk }) {
      provider.answer({ steps: ["Half ", "an "], finishes: false });
      const { end, live } = await (await talk()).send("hi");
      expect(end).toMatchObject({
        status: "failed",
        text: "Half an ",
        error: { code: "PROVIDER_ERROR", retryable: true },
      });
      expect(live).toBe("Half an ");
    },
  },
  {
    name: "stop in text",
    async check({ provider, talk }) {
      const stopped = Promise.withResolvers<void>();
      provider.answer({ steps: ["Half ", "an ", { until: stopped.promise }, "answer", "stall"] });
      const conversation = await talk();
      const seen = await conversation.stop("hi", (reading) =>
        reading.until((event) => event.type === "token" && event.text.endsWith("an ")),
      );
      expect(seen.end).toMatchObject({ status: "cancelled", text: "Half an " });
      expect(seen.live).toBe("Half an ");
      // At the latest when the provider says more: not every package hands the signal to its fetch.
      stopped.resolve();
      expect(await provider.calls[0]?.closed).toBe("aborted");
    },
  },
  {
    name: "stop in arguments",
    async check({ provider, talkToAgent }) {
      const call = { toolCall: "look_up", args: { key: secret.repeat(4) }, unfinished: true };
      provider.answer({ steps: ["Let me ", "look. ", call, "stall"] });
      const { handler, reached } = chunkCounter(3);
      const conversation = await talkToAgent({ callbacks: [handler] });
      const seen = await conversation.stop("hi", () => reached);
      expect(seen.end).toMatchObject({ status: "cancelled", text: "Let me look. " });
      expect(seen.live).toBe("Let me look. ");
      expectNoArguments(seen);
    },
  },
  {
    name: "stop in a tool",
    async check({ provider, talkToAgent }) {
      provider.answer({ steps: ["Let me ", "look. ", callOf(secret)] });
      provider.answer(done);
      const lookUp = (_key: string, signal: AbortSignal | undefined): Promise<string> =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
      const conversation = await talkToAgent({ lookUp });
      const seen = await conversation.stop("hi", (reading) =>
        reading.until(({ type }) => type === "toolStart"),
      );
      expect(seen.end).toMatchObject({ status: "cancelled", text: "Let me look. " });
      expect(seen.live).toBe("Let me look. ");
      expectNoArguments(seen);
      expectAnswer(await conversation.send("and now?"), "Done.");
      const asked = provider.calls[1]?.turns.map(({ text }) => text.trim());
      expect(asked).toEqual(["hi", "Let me look.", "and now?"]);
    },
  },
  refused({
    name: "400",
    status: 400,
    code: "PROVIDER_REJECTED",
    message: "temperature: must be at most 1",
  }),
  refused({ name: "401", status: 401, code: "MODEL_AUTHENTICATION", message: "invalid api key" }),
  refused({ name: "404", status: 404, code: "MODEL_NOT_FOUND", message: "model 'mock' not found" }),
  refused({ name: "429", status: 429, code: "MODEL_RATE_LIMIT", message: "rate limit reached" }),
  refused({ name: "500", status: 500, code: "PROVIDER_ERROR", message: "internal error" }),
  refused({ name: "503", status: 503, code: "PROVIDER_ERROR", message: "overloaded" }),
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
      const asked = provider.calls[2]?.turns.map(({ role, text }) => [role, text]);
      expect(asked).toEqual([
        ["human", "one?"],
        ["ai", "It is one."],
        ["human", "two?"],
      ]);
    },
  },
];

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

function refused(refusal: { name: string; status: number; code: string; message: string }): Column {
  const { name, status, code, message } = refusal;
  return {
    name,
    async check({ provider, talk }) {
      provider.answer(new Refusal(status, message, status === 429 ? { "retry-after": "2" } : {}));
      const { end, tokens } = await (await talk()).send("hi");
      const retryable = (["MODEL_RATE_LIMIT", "PROVIDER_ERROR"] as (ErrorCode | string)[]).includes(
        code,
      );
      expect(end).toMatchObject({ status: "failed", text: "", error: { code, retryable } });
      expect(tokens).toBe("");
      expect(JSON.stringify(end), "the provider's words stay in the log").not.toContain(message);
    },
  };
}
