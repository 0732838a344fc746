/** Names in the declaration that `langwire types` writes: no two types of one server share one. */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, test } from "vitest";
import { z } from "zod";
import { declarationOf } from "../../src/cli/types/declaration.ts";
import { defineBot } from "../../src/index.ts";

/** Contains itself, so that its type needs a name; and has a value to tell it by. */
function nested<const Kind extends string>(kind: Kind) {
  const schema = z.object({
    kind: z.literal(kind),
    get inner() {
      return z.array(schema);
    },
  });
  return schema;
}

const described = {
  title: "Bot",
  description: "",
  runnable: RunnableLambda.from((value) => value),
};

/** By each value that a type of its own was made of: how often one was. */
function kindsIn(declaration: string): string[] {
  const names = [...declaration.matchAll(/^type (\w+) =/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  return [...declaration.matchAll(/kind: "(.+)";/g)].map(([, kind]) => String(kind)).sort();
}

test("of bots whose ids differ in no letter have each its own", () => {
  const bots = ["a-b", "a_b", "aB"].map((id) =>
    defineBot({ ...described, id, input: nested(`${id} takes`), output: nested(`${id} says`) }),
  );
  expect(kindsIn(declarationOf(bots))).toEqual(
    bots.flatMap(({ id }) => [`${id} says`, `${id} takes`]).sort(),
  );
});

test("of a bot's channels are not those of what it takes and answers, nor another bot's", () => {
  const bots = [
    defineBot({
      ...{ ...described, id: "a", input: nested("takes"), output: nested("says") },
      state: { input: nested("channel in"), output: nested("channel out"), "b!": nested("b") },
    }),
    defineBot({ ...described, id: "a-b", input: nested("other takes") }),
    defineBot({ ...described, id: "a-input", output: nested("other says") }),
  ];
  expect(kindsIn(declarationOf(bots))).toEqual([
    "b",
    "channel in",
    "channel out",
    "other says",
    "other takes",
    "says",
    "takes",
  ]);
});
