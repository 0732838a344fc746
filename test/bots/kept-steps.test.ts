/** What a run's steps hold while it is in progress: no more than is stored of them in the end. */
import { ToolMessage } from "@langchain/core/messages";
import { expect, test } from "vitest";
import { KeptSteps } from "../../src/bots/exchange/kept-steps.ts";
import { heapUsed } from "../faults/memory.ts";

const mebibyte = 1024 * 1024;
/** Made anew each time, as a tool makes it. */
const long = (index: number) => `${index} `.padEnd(mebibyte, "result ");
const call = (id: number, args: Record<string, unknown> = {}) => ({
  id: `${id}`,
  name: "look",
  args,
});
const answer = (id: number, content: string) => new ToolMessage({ tool_call_id: `${id}`, content });
const count = 200;

test.each([
  [
    "one after another",
    (kept: KeptSteps) => {
      for (let id = 0; id < count; id++) {
        kept.asked("", [call(id)]);
        kept.answered(answer(id, long(id)));
      }
    },
  ],
  [
    "of one step",
    (kept: KeptSteps) => {
      kept.asked(
        "",
        Array.from({ length: count }, (_, id) => call(id)),
      );
      for (let id = 0; id < count; id++) kept.answered(answer(id, long(id)));
    },
  ],
  [
    "as arguments",
    (kept: KeptSteps) => {
      for (let id = 0; id < count; id++) {
        kept.asked(long(id), [call(id, { text: long(id) })]);
        kept.answered(answer(id, "done"));
      }
    },
  ],
])("hundreds of texts of 1 MiB %s are held cut, without what was cut off", (_what, record) => {
  const before = heapUsed();
  const kept = new KeptSteps();
  record(kept);
  const held = heapUsed() - before;
  const results = kept.all.flatMap((step) => [...step.results.values()]);
  expect(results).toHaveLength(count);
  expect(held).toBeLessThan(8 * mebibyte);
  expect(results.at(-1)?.text ?? "").toMatch(/^(199 result .*…\[cut: \d+ characters\]|done)$/);
});

test("few and short ones are held as they are", () => {
  const kept = new KeptSteps();
  kept.asked("Let me look.", [call(1, { where: { deep: [1, "two"] } }), call(2)]);
  kept.answered(answer(1, "seen"));
  kept.answered(answer(1, "seen better"));
  kept.answered(answer(3, "nobody asked"));
  const [step] = kept.all;
  expect(step?.asking).toMatchObject({
    content: "Let me look.",
    tool_calls: [{ id: "1", name: "look", args: { where: { deep: [1, "two"] } } }, { id: "2" }],
  });
  expect([...(step?.results.values() ?? [])].map(({ text }) => text)).toEqual(["seen better"]);
});

test("of steps without number the last are held, each with its own results", () => {
  const kept = new KeptSteps();
  // A server may number the calls of each message anew.
  for (let step = 0; step < 5 * count; step++) {
    kept.asked(`${step}`, [call(step), call(-1)]);
    kept.answered(answer(step, `own ${step}`));
    kept.answered(answer(-1, `shared ${step}`));
    kept.answered(answer(step - count, "too late"));
  }
  const texts = kept.all.map(({ asking, results }) => [
    asking.text,
    ...[...results.values()].map(({ text }) => text),
  ]);
  const steps = Array.from({ length: count }, (_, at) => 4 * count + at);
  expect(texts).toEqual(steps.map((step) => [`${step}`, `own ${step}`, `shared ${step}`]));
});

test.each([
  [
    "a result that is given again and again counts once",
    (kept: KeptSteps) => {
      kept.asked("", [call(1)]);
      for (let times = 0; times < 100; times++) kept.answered(answer(1, "r".repeat(50_000)));
    },
    50_000,
  ],
  [
    "what was forgotten counts no more",
    (kept: KeptSteps) => {
      for (let id = 0; id < 20 * count; id++) {
        kept.asked("t".repeat(500), [call(id, { text: "a".repeat(500) })]);
        kept.answered(answer(id, "r".repeat(1_100)));
      }
    },
    1_100,
  ],
  [
    "nor do results of it that come late, also of what was cut",
    (kept: KeptSteps) => {
      const early = Array.from({ length: 30 }, (_, id) => [id, 1_000 + id] as const);
      for (const ids of early)
        kept.asked(
          "t".repeat(20_000),
          ids.map((id) => call(id)),
        );
      for (let id = 30; id < 30 + count; id++) {
        kept.asked("", [call(id)]);
        kept.answered(answer(id, "r"));
      }
      for (const id of early.flat()) kept.answered(answer(id, "r".repeat(15_000)));
      kept.answered(answer(29 + count, "r".repeat(15_000)));
    },
    15_000,
  ],
])("%s, and cuts nothing shorter", (_what, record, length) => {
  const kept = new KeptSteps();
  record(kept);
  const last = [...(kept.all.at(-1)?.results.values() ?? [])].at(-1);
  expect(last?.text).toHaveLength(length);
});
