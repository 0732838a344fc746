/** What a run is begun with: what the caller may not send is no work for the application's code. */
import { expect, test } from "vitest";
import { z } from "zod";
import type { Bot } from "../../src/bots/bot.ts";
import type { Json } from "../../src/protocol/events.ts";
import { prepare } from "../../src/runs/admission/preparation.ts";
import type { CallerLimits } from "../../src/runs/admission/user-limits.ts";

const tooLong = { code: "BAD_INPUT", message: expect.stringContaining("longer than 10") };
const secret = "of nobody's business";

test.each<
  [given: { message?: string; input?: Json }, context: Json, asked: string[], outcome: object]
>([
  [{ message: "x".repeat(10) }, 1, ["input", "context"], { input: "x".repeat(10), context: 1 }],
  [{ message: "x".repeat(11) }, 1, [], tooLong],
  // As it is stored: with its quotes.
  [{ input: "x".repeat(8) }, 1, ["input", "context"], { input: "x".repeat(8), context: 1 }],
  [{ input: "x".repeat(9) }, 1, [], tooLong],
  [{ input: "" }, 1, ["input"], { code: "BAD_INPUT" }],
  [{ message: "" }, secret, ["input"], { code: "BAD_INPUT" }],
  [
    { message: "x" },
    secret,
    ["input", "context"],
    { code: "BOT_FAILED", message: "The caller's context does not fit the bot: context." },
  ],
])("%j in context %j asks the schemas of %j", async (given, context, shouldAsk, outcome) => {
  const asked: string[] = [];
  const asking = <T extends z.ZodType>(what: string, schema: T) =>
    z.preprocess((value) => {
      asked.push(what);
      return value;
    }, schema);
  const bot = {
    inputSchema: asking("input", z.string().min(1)),
    contextSchema: asking("context", z.number()),
  } as unknown as Bot;
  const limits = { maxMessageLength: 10 } as CallerLimits;
  const preparing = prepare(
    { userId: "ann", context },
    { botId: "test", runId: "r", ...given },
    { bot, limitsOf: async () => limits, onStrayError: undefined },
  );
  const told = await preparing.catch((cause: unknown) => cause);
  expect(told).toMatchObject(outcome);
  expect(asked).toEqual(shouldAsk);
});
