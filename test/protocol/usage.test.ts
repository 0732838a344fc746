/** Sums of counts: in any order the same, and what nobody has counted stays unknown. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Usage } from "../../src/protocol/events.ts";
import { addUsage } from "../../src/protocol/usage.ts";

const tokens = fc.nat(1_000);
const usage: fc.Arbitrary<Usage | undefined> = fc.option(
  fc.record(
    {
      ...{ inputTokens: tokens, outputTokens: tokens, totalTokens: tokens },
      ...{ cachedInputTokens: tokens, reasoningTokens: tokens },
    },
    { requiredKeys: ["inputTokens", "outputTokens", "totalTokens"] },
  ),
  { nil: undefined },
);
const parts = [
  ...(["inputTokens", "outputTokens", "totalTokens"] as const),
  ...(["cachedInputTokens", "reasoningTokens"] as const),
];

test("each part is the sum of those that are known, and is not there where none is", () => {
  fc.assert(
    fc.property(fc.array(usage, { maxLength: 5 }), (all) => {
      const sum = all.reduce<Usage | undefined>(addUsage, undefined);
      const known = all.filter((one) => one !== undefined);
      expect(sum === undefined).toBe(known.length === 0);
      for (const part of parts) {
        const counts = known.flatMap((one) => one[part] ?? []);
        const expected = counts.reduce<number | undefined>((a = 0, b) => a + b, undefined);
        expect([part, sum?.[part]]).toEqual([part, expected]);
        if (sum !== undefined) expect(part in sum).toBe(counts.length > 0);
      }
    }),
  );
});
