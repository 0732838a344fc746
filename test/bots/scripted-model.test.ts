/** The model of applications' own tests says what it is told to. */
import { expect, test } from "vitest";
import { scriptedModel } from "../../src/testing/index.ts";

test("replies come in order, the last again and again, and what each call was told is kept", async () => {
  const model = scriptedModel([{ tokens: ["Hel", "lo"] }, { tokens: ["Bye"] }]);
  const texts = [];
  for (const word of ["a", "b", "c", "d"]) texts.push((await model.invoke(word)).text);
  expect(texts).toEqual(["Hello", "Bye", "Bye", "Bye"]);
  expect(model.calls.map(([message]) => message?.text)).toEqual(["a", "b", "c", "d"]);
  expect((await scriptedModel([]).invoke("a")).text).toBe("");
});

test("a function replies to what it is told, and to which call it is", async () => {
  const model = scriptedModel((messages, call) => ({
    tokens: [`${call} `, messages[0]?.text ?? ""],
  }));
  expect((await model.invoke("a")).text).toBe("0 a");
  expect((await model.invoke("b")).text).toBe("1 b");
});

test("calls of a message have ids of their own, or those that they are given", async () => {
  const call = { name: "look", args: { n: 1 } };
  const model = scriptedModel([{ toolCalls: [call, call, { ...call, id: "own" }] }]);
  const { tool_calls, usage_metadata } = await model.bindTools().invoke("a");
  expect(tool_calls).toMatchObject(["call_0", "call_1", "own"].map((id) => ({ ...call, id })));
  expect(usage_metadata).toEqual({ input_tokens: 1, output_tokens: 3, total_tokens: 4 });
});

test("a reply that waits, or fails, says its tokens before; one that is stopped waits no more", async () => {
  const said: string[] = [];
  const stopping = new AbortController();
  const read = async (reply: Parameters<typeof scriptedModel>[0]) => {
    const { signal } = stopping;
    for await (const { text } of await scriptedModel(reply).stream("a", { signal }))
      said.push(text);
  };
  await expect(read([{ tokens: ["Half"], error: new Error("cut") }])).rejects.toThrow("cut");
  const waits = read([{ tokens: ["Said"], until: new Promise(() => {}) }]);
  await expect.poll(() => said.join("")).toBe("HalfSaid");
  stopping.abort(new Error("stopped"));
  await expect(waits).rejects.toThrow();
});
