/** A value held against a schema of a bot's, whatever its code does: refused, or the bot's own failure, and in time. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Bot } from "../../src/bots/bot.ts";
import { containedBot } from "../../src/bots/isolation/bot-at-work.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { containedCheck } from "../../src/runs/admission/contained-check.ts";
import { prepare } from "../../src/runs/admission/preparation.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

type Result = { value: unknown } | { issues: { message: string }[] };

const failed = { code: "BOT_FAILED" };
const checks: Record<string, [look: () => Result | Promise<Result>, comesTo: object]> = {
  "takes it": [() => ({ value: 1 }), { ok: true, value: 1 }],
  "takes it later": [async () => ({ value: 1 }), { ok: true, value: 1 }],
  "refuses it": [() => ({ issues: [{ message: "too odd" }] }), { ok: false }],
  throws: [
    () => {
      throw new Error("broken");
    },
    failed,
  ],
  rejects: [async () => Promise.reject(new Error("broken")), failed],
  "throws in a timer": [
    () => {
      // As the listener of uncaught exceptions tells whoever is at work.
      containedBot()?.crash?.(new Error("broken"));
      return new Promise(() => {});
    },
    failed,
  ],
  "never answers": [() => new Promise(() => {}), failed],
};

test.each(Object.entries(checks))("one that %s", async (name, [look, comesTo]) => {
  const schema = { "~standard": { version: 1 as const, vendor: "test", validate: look } };
  for (const onStrayError of [() => {}, undefined]) {
    if (onStrayError === undefined && name === "throws in a timer") continue;
    const atWork = { botId: "b", runId: "r" };
    const checking = containedCheck(
      { schema, value: 0, path: "input" },
      { atWork, onStrayError },
    ).catch((cause: unknown) => cause);
    // What has an answer does not wait for the limit.
    await vi.advanceTimersByTimeAsync(name === "never answers" ? 10_000 : 0);
    const found = await Promise.race([checking, Promise.resolve("nothing yet")]);
    expect(found).toMatchObject(comesTo);
    if (comesTo === failed) expect((found as LangwireError).cause).toBeInstanceOf(Error);
    expect(vi.getTimerCount()).toBe(0);
  }
});

test.each(["limits", "length", "input", "context"] as const)(
  "what a run is begun with is asked in order, and nothing behind the %s that refuses",
  async (refusing) => {
    const asked: string[] = [];
    const schemaOf = (name: "input" | "context") => ({
      "~standard": {
        ...{ version: 1 as const, vendor: "test" },
        validate: (value: unknown) => {
          asked.push(name);
          return refusing === name ? { issues: [{ message: "too odd" }] } : { value };
        },
      },
    });
    const bot = {
      inputSchema: schemaOf("input"),
      contextSchema: schemaOf("context"),
    } as unknown as Bot;
    const limitsOf = async () => {
      asked.push("limits");
      if (refusing === "limits") throw new LangwireError("AUTH_UNAVAILABLE");
      return { maxMessageLength: refusing === "length" ? 1 : 10 };
    };
    const input = { botId: "b", runId: "r", input: "hello" };
    const options = { bot, limitsOf, onStrayError: undefined };
    const codes = {
      limits: "AUTH_UNAVAILABLE",
      length: "BAD_INPUT",
      input: "BAD_INPUT",
      context: "BOT_FAILED",
    };
    await expect(prepare({ userId: "ann" }, input, options)).rejects.toMatchObject({
      code: codes[refusing],
    });
    const order = ["limits", "input", "context"];
    const last = refusing === "length" ? "limits" : refusing;
    expect(asked).toEqual(order.slice(0, order.indexOf(last) + 1));
  },
);
