/**
 * Archived runs across a gap, by slices: each event once and in order whatever the slices are, no more at once
 * than a reader should be given, and the store is asked for a run's row once and not for each slice.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { sliceMaxBytes } from "../../src/log/slice.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { Backfill } from "../../src/runs/following/backfill.ts";
import type { Run, Store } from "../../src/store/store.ts";

const at = "2026-01-01T00:00:00.000Z";
const conversationId = "c";
const kibibyte = 1024;

interface Planned {
  /** Its events, with its start and its end. */
  readonly events: number;
  readonly bytesOfEach: number;
  readonly archived: boolean;
  /** Numbers before it that nobody has. */
  readonly jump: number;
}

class World {
  readonly runs: (Run & { readonly archived: boolean })[] = [];
  readonly entries = new Map<string, LogEntry[]>();
  /** What was asked of the store and of the archives, in order. */
  readonly asked: string[] = [];
  member = true;
  lastSeq = 0;
  #perSlice: number;

  constructor(planned: readonly Planned[], perSlice: number) {
    this.#perSlice = perSlice;
    for (const plan of planned) this.#add(plan);
  }

  #add({ events, bytesOfEach, archived, jump }: Planned): void {
    const runId = `run ${this.runs.length}`;
    const firstSeq = this.lastSeq + 1 + jump;
    const endSeq = firstSeq + events - 1;
    const data = "x".repeat(bytesOfEach);
    const all = Array.from({ length: events }, (_, index) => {
      const isEnd = index === events - 1;
      const event: ChatEvent = isEnd
        ? { type: "runEnd", runId, at, status: "completed", text: data }
        : { type: "custom", runId, spanId: "s", name: `${index}`, data };
      return LogEntry.of(firstSeq + index, event);
    });
    this.entries.set(runId, all);
    const run = { runId, conversationId, firstSeq, endSeq, archived, status: "completed" };
    const more = {
      botId: "b",
      userId: "ann",
      message: "m",
      text: data,
      startedAt: at,
      endedAt: at,
    };
    this.runs.push({ ...run, ...more } as unknown as Run & { readonly archived: boolean });
    this.lastSeq = endSeq;
  }

  backfill(runId?: string): Backfill {
    const note = (what: string) => this.asked.push(what);
    const store = {
      conversations: {
        isMember: async () => {
          note("member");
          return this.member;
        },
      },
      runs: {
        get: async (id: string) => {
          note("row");
          return this.member ? this.runs.find((run) => run.runId === id) : undefined;
        },
        endedBetween: async (_id: string, after: number, limit: number) => {
          note("rows");
          return this.runs.filter(({ endSeq = 0 }) => endSeq > after).slice(0, limit);
        },
      },
    } as unknown as Store;
    const archives = { after: async (id: string, after: number) => this.slice(id, after) };
    const interruptions = () => 0;
    const options = { store, archives, userId: "ann", conversationId, runId, interruptions };
    return new Backfill(options);
  }

  slice(runId: string, after: number): LogEntry[] {
    const run = this.runs.find((one) => one.runId === runId);
    expect(after).toBeLessThan(run?.endSeq ?? 0);
    this.asked.push(`archive of ${runId}`);
    if (run?.archived !== true) return [];
    const rest = this.entries.get(runId)?.filter(({ seq }) => seq > after) ?? [];
    return rest.slice(0, this.#perSlice);
  }

  /** What somebody is to have in the end who had nothing. */
  expected(runId?: string): (readonly [number, string])[] {
    return this.runs.flatMap((run) => {
      if (runId !== undefined && run.runId !== runId) return [];
      const all = this.entries.get(run.runId) ?? [];
      if (run.archived) return all.map(({ seq, type }) => [seq, type] as const);
      return [
        ...(run.firstSeq === run.endSeq ? [] : [[run.firstSeq, "runStart"] as const]),
        [run.endSeq ?? 0, "runEnd"] as const,
      ];
    });
  }
}

const plans = fc.array(
  fc.record({
    events: fc.integer({ min: 2, max: 9 }),
    bytesOfEach: fc.constantFrom(1, 1, 20 * kibibyte),
    archived: fc.boolean(),
    jump: fc.constantFrom(0, 0, 100),
  }),
  { minLength: 1, maxLength: 8 },
);

async function walk(world: World, backfill: Backfill, perSlice: number) {
  const got: (readonly [number, string])[] = [];
  let answers = 0;
  for (let after = 0; ; answers++) {
    const known = await backfill.acrossGap(after);
    const last = known.at(-1);
    if (last === undefined) break;
    const seqs = known.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(seqs[0]).toBeGreaterThan(after);
    // A slice more than that, and what is told in short.
    const archived = known.filter(
      ({ runId }) => world.runs.find((run) => run.runId === runId)?.archived,
    );
    const bytes = archived.reduce((sum, { jsonBytes }) => sum + jsonBytes, 0);
    expect(bytes).toBeLessThanOrEqual(sliceMaxBytes + perSlice * 21 * kibibyte);
    got.push(...known.map(({ seq, type }) => [seq, type] as const));
    after = last.seq;
    if (after === world.lastSeq) break;
  }
  return { got, answers };
}

test("a watcher gets each archived event, and of other runs the start and the end", async () => {
  const property = fc.asyncProperty(
    plans,
    fc.integer({ min: 1, max: 4 }),
    async (planned, perSlice) => {
      const world = new World(planned, perSlice);
      const { got } = await walk(world, world.backfill(), perSlice);
      expect(got).toEqual(world.expected());
      // Once for what comes behind each run that is not told at once, at the most.
      expect(world.asked.filter((what) => what === "rows").length).toBeLessThanOrEqual(
        planned.length + 1,
      );
      for (const { runId, archived } of world.runs) {
        if (!archived) expect(world.asked).not.toContain(`archive of ${runId}`);
      }
    },
  );
  await fc.assert(property, { numRuns: 100 });
});

test("runs that are small are told together, and as many as are large enough", async () => {
  const plan = { events: 3, archived: true, jump: 0 };
  const small = new World(
    Array.from({ length: 5 }, () => ({ ...plan, bytesOfEach: 1 })),
    9,
  );
  expect(await small.backfill().acrossGap(0)).toHaveLength(15);
  const large = Array.from({ length: 5 }, () => ({ ...plan, bytesOfEach: 10 * kibibyte }));
  // Two of 30 KiB; with the third it would be more than 64.
  expect(await new World(large, 9).backfill().acrossGap(0)).toHaveLength(6);
  const larger = Array.from({ length: 5 }, () => ({ ...plan, bytesOfEach: 40 * kibibyte }));
  expect(await new World(larger, 9).backfill().acrossGap(0)).toHaveLength(3);
});

describe("within an archive", () => {
  const planned = [{ events: 7, bytesOfEach: 1, archived: true, jump: 0 }];

  test.each([
    ["a watcher", undefined],
    ["a reader of the run", "run 0"],
  ])("%s asks for the row once, and for the membership each time", async (_who, runId) => {
    const world = new World(planned, 2);
    const backfill = world.backfill(runId);
    const { got, answers } = await walk(world, backfill, 2);
    expect([got, answers]).toEqual([world.expected(runId), 3]);
    const count = (what: string) => world.asked.filter((one) => one === what).length;
    expect([count("row") + count("rows"), count("archive of run 0")]).toEqual([1, 4]);
    // A run's row is given to its members alone.
    expect(count("member") + count("row")).toBe(4);
  });

  test("is where a slice ended that has more, and nowhere else", async () => {
    const backfill = new World(planned, 3).backfill("run 0");
    expect([0, 3, 7].map((after) => backfill.isWithinArchive(after))).toEqual([
      false,
      false,
      false,
    ]);
    await backfill.acrossGap(0);
    expect([0, 2, 3, 4, 7].map((after) => backfill.isWithinArchive(after))).toEqual([
      ...[false, false, true, false, false],
    ]);
    await backfill.acrossGap(3);
    await backfill.acrossGap(6);
    expect([3, 6, 7].map((after) => backfill.isWithinArchive(after))).toEqual([
      false,
      false,
      false,
    ]);
  });

  test.each([undefined, "run 0"])(
    "who is no member any more learns nothing more",
    async (runId) => {
      const world = new World(planned, 2);
      const backfill = world.backfill(runId);
      expect(await backfill.acrossGap(0)).toHaveLength(2);
      world.member = false;
      await expect(backfill.acrossGap(2)).rejects.toMatchObject({ code: "NOT_FOUND" });
    },
  );

  test.each([undefined, "run 0"])("that was deleted meanwhile, the end is told", async (runId) => {
    const world = new World(planned, 2);
    const backfill = world.backfill(runId);
    await backfill.acrossGap(0);
    Object.assign(world.runs[0] ?? expect.fail(), { archived: false });
    const rest = await backfill.acrossGap(2);
    expect(rest.map(({ seq, type }) => [seq, type])).toEqual([[7, "runEnd"]]);
    expect(backfill.isWithinArchive(2)).toBe(false);
  });
});
