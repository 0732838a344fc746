import type { Runnable } from "@langchain/core/runnables";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { type Bot, type BotContext, type BotDefinition, defineBot } from "../../src/index.ts";

declare const runnable: Runnable;
const described = { title: "Typed", description: "", runnable };

const typed = defineBot({
  ...described,
  id: "typed",
  input: z.object({ file: z.string(), currency: z.enum(["EUR", "JPY"]).default("EUR") }),
  output: z.object({ total: z.number(), currency: z.string().default("EUR") }),
  state: { progress: z.object({ page: z.number() }) },
});
const plain = defineBot({
  ...described,
  id: "plain",
  input: ({ message, history }) => ({ message, turns: history.length }),
  output: (value) => String(value),
});

test("a bot has the types of its schemas: what is sent, and what comes of it", () => {
  type Types = NonNullable<(typeof typed)["~types"]>;
  expectTypeOf<Types["id"]>().toEqualTypeOf<"typed">();
  expectTypeOf<Types["input"]>().toEqualTypeOf<{
    file: string;
    currency?: "EUR" | "JPY" | undefined;
  }>();
  expectTypeOf<Types["output"]>().toEqualTypeOf<{ total: number; currency: string }>();
  expectTypeOf<Types["state"]>().toEqualTypeOf<{ readonly progress: { page: number } }>();
});

test("a bot with functions takes messages and answers texts", () => {
  type Types = NonNullable<(typeof plain)["~types"]>;
  expectTypeOf<Types["id"]>().toEqualTypeOf<"plain">();
  expectTypeOf<Types["input"]>().toEqualTypeOf<undefined>();
  expectTypeOf<Types["output"]>().toEqualTypeOf<undefined>();
  expectTypeOf<keyof Types["state"]>().toEqualTypeOf<never>();
});

test("bots of any types are bots", () => {
  expectTypeOf([typed, plain]).toExtend<readonly Bot[]>();
  const definition: BotDefinition = { ...described, id: "any" };
  expectTypeOf(defineBot(definition)).toExtend<Bot>();
});

test("a bot's own functions know the caller's context by its schema, or by what they ask for", () => {
  interface Tenant {
    readonly tenant: string;
  }
  defineBot({
    ...described,
    id: "checked",
    context: z.object({ tenant: z.string().default("acme") }),
    input: (_turn, { context }) => expectTypeOf(context).toEqualTypeOf<{ tenant: string }>(),
    runnable: ({ context }) => {
      expectTypeOf(context).toEqualTypeOf<{ tenant: string }>();
      return runnable;
    },
    onEnd: ({ context }) => expectTypeOf(context).toEqualTypeOf<{ tenant: string }>(),
  });
  defineBot({ ...described, id: "asking", runnable: (_run: BotContext<Tenant>) => runnable });
  defineBot({
    ...described,
    id: "unknown",
    onEnd: ({ context }) => expectTypeOf(context).toEqualTypeOf<unknown>(),
  });
});

test("a wrong setting does not compile", () => {
  // @ts-expect-error a schema is none of its values
  defineBot({ ...described, id: "wrong", input: { file: "a string" } });
  // @ts-expect-error an answer's text is a text
  defineBot({ ...described, id: "wrong", output: () => 42 });
  const context = z.object({ tenant: z.string() });
  // @ts-expect-error the context is another one
  defineBot({ ...described, id: "wrong", context, runnable: (_: BotContext<number>) => runnable });
  // @ts-expect-error a channel has a schema
  defineBot({ ...described, id: "wrong", state: { progress: "number" } });
});
