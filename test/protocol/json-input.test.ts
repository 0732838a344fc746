import { expect, test } from "vitest";
import { sendInput } from "../../src/protocol/inputs.ts";

const run = {
  runId: crypto.randomUUID(),
  conversationId: crypto.randomUUID(),
  botId: "bot",
};
const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

test.each<[string, unknown]>([
  ["a text", "text"],
  ["nothing", null],
  ["an object", { list: [1, -0.5, true, null], inner: { text: "" } }],
  ["one without a prototype", Object.assign(Object.create(null), { a: 1 })],
  ["32 levels", deep(32)],
])("%s may be sent as input", (_what, input) => {
  expect(sendInput.parse({ ...run, input }).input).toEqual(input);
});

test.each<[string, unknown]>([
  ["33 levels", deep(33)],
  ["thousands of levels", JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`)],
  ["a date", { at: new Date() }],
  ["a map", new Map()],
  ["no number", Number.NaN],
  ["a big integer", [1n]],
  ["an undefined field", { a: undefined }],
  ["a function", { a: () => 1 }],
])("%s may not", (_what, input) => {
  const { error } = sendInput.safeParse({ ...run, input });
  expect(error?.issues).toMatchObject([{ path: ["input"] }]);
});

test("either a message or an input is sent, and not both", () => {
  expect(sendInput.safeParse(run).success).toBe(false);
  expect(sendInput.safeParse({ ...run, message: "a", input: 1 }).success).toBe(false);
});
