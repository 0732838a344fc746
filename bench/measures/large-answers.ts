/** Large answers, many at once, to readers that read: what the server holds of them, its log included. */
import type { Measure } from "../parts/measure.ts";
import { residentDuring, residentMiB } from "../parts/resident.ts";
import { Stage } from "../parts/stage.ts";

export const largeAnswers = 48;
const wanted = { kind: "fast", tokens: 900, tokenLength: 1_000 } as const;
export const largeAnswerMiB = (wanted.tokens * wanted.tokenLength) / (1024 * 1024);

export const largeAnswersAtOnce: Measure = {
  name: "largeAnswers",
  peers: { quick: ["langwire"], full: ["langwire", "rawWs"] },
  rounds: { quick: 1, full: 5 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer });
    await stage.connect(largeAnswers);
    // What each of V8's and of the program's own parts takes once.
    const small = { kind: "fast", tokens: 300 } as const;
    await stage.drive({ wanted: small, runsEach: 4, spreadMs: 0, count: largeAnswers });
    await stage.quiet();
    const before = await residentMiB(stage);
    const driven = stage.drive({ wanted, runsEach: 1, spreadMs: 0, count: largeAnswers });
    const seen = await residentDuring(stage, driven);
    const grownMiB = Math.max(...seen) - before;
    return { beforeMiB: before, grownMiB, timesText: grownMiB / (largeAnswers * largeAnswerMiB) };
  },
};
