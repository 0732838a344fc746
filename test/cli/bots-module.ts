/** Bots as a program exports them, for `langwire types`. */
import { RunnableLambda } from "@langchain/core/runnables";
import { z } from "zod";
import { defineBot } from "../../src/index.ts";

const runnable = RunnableLambda.from((value) => value);
const described = { title: "Bot", description: "What */ it does.", runnable };

const comment = z.object({
  text: z.string().describe("What was\nwritten"),
  get answers() {
    return z.array(comment);
  },
});

export const invoice = defineBot({
  ...described,
  id: "invoice",
  input: z.object({
    file: z.string().describe("A file's name */"),
    currency: z.enum(["EUR", "JPY"]).default("EUR"),
    pages: z.tuple([z.number(), z.number()]).optional(),
    "odd name": z.literal([1, "two", null]),
    either: z.union([z.string(), z.object({ at: z.iso.date() })]).nullable(),
    anything: z.json(),
  }),
  output: z.object({
    total: z.number(),
    lines: z.array(z.object({ name: z.string(), price: z.number().optional() })),
    notes: z.record(z.string(), z.boolean()),
    nothing: z.strictObject({}),
    kind: z.discriminatedUnion("type", [
      z.object({ type: z.literal("a"), a: z.number() }),
      z.object({ type: z.literal("b"), b: z.string() }),
    ]),
  }),
  state: { progress: z.object({ page: z.number() }), "a plan": z.array(z.string()) },
});
export const threads = defineBot({
  ...described,
  id: "1-threads",
  input: comment,
  output: comment,
});
export const chat = defineBot({ ...described, id: "chat" });
export const bots = [invoice, threads, chat] as const;
