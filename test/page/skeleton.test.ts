/** What the field for a typed bot's input begins with. */
import { expect, test } from "vitest";
import { z } from "zod";
import { skeletonOf } from "../../client/page/composer/skeleton.ts";
import type { Json } from "../../src/protocol/events.ts";

const tree: z.ZodType = z.object({ name: z.string(), children: z.lazy(() => z.array(tree)) });

test.each<[string, z.ZodType, Json]>([
  [
    "its properties",
    z.object({ a: z.string(), b: z.object({ c: z.boolean() }) }),
    { a: "", b: { c: false } },
  ],
  ["what it takes by itself", z.object({ a: z.string().default("x") }), { a: "x" }],
  ["the first of some", z.object({ a: z.enum(["x", "y"]), b: z.literal(3) }), { a: "x", b: 3 }],
  ["the first variant", z.object({ a: z.union([z.number(), z.string()]) }), { a: 0 }],
  ["the least number", z.object({ a: z.number().min(5), b: z.number() }), { a: 5, b: 0 }],
  [
    "lists and records, empty",
    z.object({ a: z.array(z.string()), b: z.record(z.string(), z.string()) }),
    { a: [], b: {} },
  ],
  ["what cannot be told, as null", z.object({ a: z.any(), b: z.null() }), { a: null, b: null }],
  ["one that contains itself", tree, { name: "", children: [] }],
])("it has %s", (_what, schema, skeleton) => {
  expect(skeletonOf(z.toJSONSchema(schema, { io: "input" }) as Json)).toEqual(skeleton);
});

test("a schema that refers to nothing but itself ends", () => {
  const endless: Record<string, Json> = { type: "object" };
  endless.properties = { again: endless };
  expect(JSON.stringify(skeletonOf(endless))).toMatch(/null\}+$/);
});
