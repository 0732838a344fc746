/**
 * A model whose answer broke off fails the run where the answer is made of it, and nowhere else.
 */
import { RunnableLambda, RunnableParallel, RunnableSequence } from "@langchain/core/runnables";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { scriptedModel } from "../../src/testing/scripted-model.ts";
import { ShapedModel } from "../support/shaped-model.ts";
import { type Transcript, transcriptOf } from "./transcript.ts";

/** OpenAI's protocol has a finish reason in every whole answer: this one has none. */
const cutOff = (text: string) =>
  new ShapedModel({ provider: "openai", calls: [[{ message: { content: text } }]] });
const whole = (text: string) => scriptedModel([{ tokens: [text] }]);
const later = (text: string) => scriptedModel([{ tokens: [text], paceMs: 10 }]);
const text = (value: { text: string }) => value.text;

const run = (runnable: Parameters<typeof transcriptOf>[0]["runnable"]): Promise<Transcript> =>
  transcriptOf({ runnable, input: ({ message }) => message });

describe("a broken model", () => {
  test("is told where it is, whatever becomes of the run", async () => {
    const { events } = await run(
      RunnableSequence.from([cutOff("Half"), () => "hi", whole("Yes.")]),
    );
    const errors = events.filter(({ type }) => type === "error");
    expect(errors).toMatchObject([{ source: "llm", code: "PROVIDER_ERROR", retryable: true }]);
  });

  test.each([
    ["the branch that the bot did without ended first", cutOff("Half"), later("Whole.")],
    ["it ended last", later("Whole."), cutOff("Half")],
  ])("fails no answer of another branch: %s", async (_of, one, other) => {
    const branches = RunnableParallel.from({ one, other });
    const pick = RunnableLambda.from(({ one, other }: Record<string, { text: string }>) =>
      [one, other].map((value) => value?.text).find((value) => value === "Whole."),
    );
    const { outcome } = await run(branches.pipe(pick));
    expect(outcome).toMatchObject({ status: "completed", text: "Whole." });
  });

  test("fails the answer that is its own, though another branch ended later", async () => {
    const branches = RunnableParallel.from({ one: cutOff("Half"), other: later("Whole.") });
    const { outcome } = await run(branches.pipe(({ one }) => text(one as { text: string })));
    expect(outcome).toMatchObject({ status: "failed", error: { code: "PROVIDER_ERROR" } });
  });

  test("fails the answer of which it is a part", async () => {
    const branches = RunnableParallel.from({ one: cutOff("Half"), other: later("Whole.") });
    const both = branches.pipe((all: Record<string, { text: string }>) =>
      [all.one?.text, all.other?.text].join(" and "),
    );
    expect((await run(both)).outcome).toMatchObject({ status: "failed" });
  });

  test.each(["first", "last"])(
    "fails the answer that all say together: %s to begin",
    async (when) => {
      const pieces = [..."Half of an answer"].map((content) => ({ message: { content } }));
      const broken = new ShapedModel({ provider: "openai", calls: [pieces] });
      const other = scriptedModel([{ tokens: [..."Whole."] }]);
      const all = when === "first" ? { broken, other } : { other, broken };
      const { outcome } = await run(RunnableParallel.from<string>(all));
      expect(outcome).toMatchObject({ status: "failed", error: { code: "PROVIDER_ERROR" } });
    },
  );

  test("fails no whole answer that begins as it did", async () => {
    const branches = RunnableParallel.from({ one: cutOff("The"), other: later("The answer.") });
    const { outcome } = await run(branches.pipe(({ other }) => text(other as { text: string })));
    expect(outcome).toMatchObject({ status: "completed", text: "The answer." });
  });

  test("does fail where a whole text is a part of its own", async () => {
    const aside = whole("Half").withConfig({ tags: ["nostream"] });
    const { outcome } = await run(RunnableSequence.from([aside, () => "hi", cutOff("Half of it")]));
    expect(outcome).toMatchObject({ status: "failed" });
  });

  test("fails an answer that is nobody's words, unless a whole one came after it", async () => {
    const shout = (value: { text: string }) => value.text.toUpperCase();
    const first = RunnableSequence.from([cutOff("half"), () => "hi", whole("whole"), shout]);
    expect((await run(first)).outcome).toMatchObject({ status: "completed", text: "WHOLE" });
    const last = RunnableSequence.from([whole("whole"), () => "hi", cutOff("half"), shout]);
    expect((await run(last)).outcome).toMatchObject({ status: "failed" });
    const branches = RunnableParallel.from({ one: cutOff("half"), other: later("whole") });
    const shoutBoth = branches.pipe((all) => JSON.stringify(Object.keys(all)).toUpperCase());
    expect((await run(shoutBoth)).outcome).toMatchObject({ status: "failed" });
  });

  test("fails an empty answer", async () => {
    expect((await run(cutOff(""))).outcome).toMatchObject({ status: "failed" });
  });

  test("fails no answer for what it said aside: tagged nostream, or in a tool", async () => {
    const aside = cutOff("Half").withConfig({ tags: ["nostream"] });
    const { outcome } = await run(
      RunnableSequence.from([
        whole("Whole."),
        text,
        RunnableLambda.from(async (answer: string, config) => {
          await aside.invoke("hi", config);
          return answer;
        }),
      ]),
    );
    expect(outcome).toMatchObject({ status: "completed", text: "Whole." });

    const shouted = RunnableSequence.from([
      whole("whole"),
      RunnableLambda.from(async (answer: { text: string }, config) => {
        await aside.invoke("hi", config);
        return answer.text.toUpperCase();
      }),
    ]);
    expect((await run(shouted)).outcome).toMatchObject({ status: "completed", text: "WHOLE" });

    const ask = tool(async (_input, config) => text(await cutOff("Half").invoke("hi", config)), {
      name: "ask",
      description: "Asks",
      schema: z.object({}),
    });
    const model = scriptedModel([
      { toolCalls: [{ name: "ask", args: {} }] },
      { tokens: ["Done."] },
    ]);
    const agent = await transcriptOf({ runnable: createAgent({ model, tools: [ask] }) });
    expect(agent.outcome).toMatchObject({ status: "completed", text: "Done." });
  });

  test("fails the answer that it is, though it is tagged nostream", async () => {
    const { outcome } = await run(cutOff("Half").withConfig({ tags: ["nostream"] }));
    expect(outcome).toMatchObject({ status: "failed" });
  });
});

test("an empty last word after a tool is an answer where its provider says that it ended", async () => {
  const noop = tool(() => "saved", { name: "save", description: "Saves", schema: z.object({}) });
  const call = { tool_call_chunks: [{ index: 0, id: "t1", name: "save", args: "{}" }] };
  for (const [provider, end] of [
    ["anthropic", { message: { additional_kwargs: { stop_reason: "end_turn" } } }],
    ["google_genai", { info: { finishReason: "STOP" } }],
    ["mistral", { info: { finishReason: "stop" } }],
  ] as const) {
    const model = new ShapedModel({ provider, calls: [[{ message: call }, end], [end]] });
    const { outcome } = await transcriptOf({ runnable: createAgent({ model, tools: [noop] }) });
    expect(outcome.status).toBe("completed");
  }
});
