/**
 * A follower under every interleaving that a schedule can make of appends, evictions, answers of the log
 * and the store (early, late, failing), a socket that is busy, silence, removal and leaving.
 */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LogEntry } from "../../src/log/entry.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { FollowerWorld, type ReaderOptions, silenceMs } from "./follower-world.ts";

type Reader = Awaited<ReturnType<FollowerWorld["read"]>>;

const readFailure = new Error("the log could not be read");
const unhandled: unknown[] = [];
const note = (cause: unknown) => unhandled.push(cause);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  process.on("unhandledRejection", note);
});

afterEach(() => {
  vi.useRealTimers();
  process.off("unhandledRejection", note);
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What happens next. Where two things are to happen in one turn, there is none in between. */
type Step = (world: FollowerWorld, reader: Reader) => unknown;

/** Answers everything that is asked, and what is asked then. */
async function answerAll(world: FollowerWorld): Promise<void> {
  for (let idleTurns = 0; idleTurns < 4; idleTurns++) {
    await turn();
    for (let next = world.question(0); next !== undefined; next = world.question(0)) {
      next.answer();
      idleTurns = 0;
    }
  }
}

/** Nothing new comes into the log, so no wake-up makes good for one that was lost. */
async function settle(world: FollowerWorld): Promise<void> {
  world.drain(1_000);
  for (let silences = 0; silences < 8; silences++) {
    await answerAll(world);
    await vi.advanceTimersByTimeAsync(silenceMs);
  }
  await answerAll(world);
}

const index = fc.nat({ max: 5 });
const always = (name: string, step: Step): fc.Arbitrary<[string, Step]> =>
  fc.constant<[string, Step]>([name, step]);

const happenings = fc.oneof(
  { weight: 6, arbitrary: always("turn", turn) },
  { weight: 5, arbitrary: always("answer all", answerAll) },
  { weight: 6, arbitrary: always("token", (world) => world.append("token")) },
  { weight: 2, arbitrary: always("custom", (world) => world.append("custom")) },
  { weight: 1, arbitrary: always("forty", (world) => world.append("custom", 40)) },
  { weight: 3, arbitrary: always("finish", (world) => world.finish("log")) },
  {
    weight: 1,
    arbitrary: always("lost end", (world) => world.finish(world.shared ? "store alone" : "log")),
  },
  { weight: 2, arbitrary: index.map<[string, Step]>((it) => [`evict ${it}`, (w) => w.evict(it)]) },
  {
    weight: 6,
    arbitrary: index.map<[string, Step]>((it) => [`answer ${it}`, (w) => w.question(it)?.answer()]),
  },
  { weight: 4, arbitrary: always("silence", () => vi.advanceTimersByTimeAsync(silenceMs)) },
  { weight: 4, arbitrary: index.map<[string, Step]>((it) => [`drain ${it}`, (w) => w.drain(it)]) },
);

interface Ending {
  readonly name: "nothing" | "stopped" | "revoked" | "removed unheard" | "failed";
  readonly step: Step;
}

/** The last thing that happens to a reader. After all but the first, it may not get everything. */
const endings = fc.constantFrom<Ending>(
  { name: "nothing", step: () => {} },
  { name: "stopped", step: (_world, reader) => reader.abort() },
  { name: "stopped", step: (_world, reader) => reader.follower.return() },
  { name: "revoked", step: (_, { follower }) => follower.fail(new LangwireError("NOT_FOUND")) },
  { name: "removed unheard", step: (world) => void Object.assign(world, { member: false }) },
  { name: "failed", step: (world) => world.question(0)?.fail(readFailure) },
  { name: "failed", step: (world) => world.question(1)?.fail(readFailure) },
);

const readers = fc.record<ReaderOptions>({
  run: fc.option(fc.constantFrom(0, 0, 1), { nil: undefined }),
  position: fc.option(fc.constantFrom(0, 1, 2, 4), { nil: undefined }),
  onlyEnds: fc.boolean(),
  pushed: fc.boolean(),
});

/** The numbers that an entry brings: merged tokens say which they were. */
function numbersOf(entry: LogEntry): number[] {
  const { event } = entry;
  return event.type === "token" ? event.text.split(",").slice(0, -1).map(Number) : [entry.seq];
}

function check(
  world: FollowerWorld,
  { got, run, from, onlyEnds, follower }: Reader,
  whole: boolean,
): void {
  const seqs = got.map(({ seq }) => seq);
  expect(world.overdrawn, "never more than the socket takes").toBe(false);
  expect(seqs, "in order, each once").toEqual([...new Set(seqs)].sort((a, b) => a - b));
  expect(world.asked, "never asks for what it had").toEqual(world.asked.toSorted((a, b) => a - b));
  const numbers = got.flatMap(numbersOf);
  expect(numbers, "merged, each once").toEqual([...new Set(numbers)].sort((a, b) => a - b));
  for (const entry of got.filter(({ type }) => type !== "token")) {
    expect(entry.event).toEqual(world.events[entry.seq - 1]);
  }
  const wants = ({ runId, type }: ChatEvent) =>
    (run?.runId ?? runId) === runId && (!onlyEnds || type === "runEnd");
  expect(got.filter(({ event, seq }) => !wants(event) || seq <= (from ?? 0))).toEqual([]);
  if (follower.closed) expect(world.listeners.size).toBe(0);
  if (from === undefined) expect(got).toEqual([]);
  if (from === undefined || !whole) return;
  const wanted = world.events.flatMap((event, place) => {
    const seq = place + 1;
    const isEnd = event.type === "runEnd";
    const isLost = world.gone.has(seq) && !isEnd && !world.isArchived(event);
    return wants(event) && seq > from && !isLost ? [seq] : [];
  });
  expect(numbers).toEqual(expect.arrayContaining(wanted));
}

/** How reading ends after each ending, unless it was over before. */
const outcomes: Record<Ending["name"], readonly unknown[]> = {
  nothing: ["done"],
  stopped: ["done"],
  revoked: ["NOT_FOUND"],
  "removed unheard": ["done", "NOT_FOUND"],
  failed: [readFailure],
};

const history = fc.array(happenings, { maxLength: 8 });
/** Each episode ends when everything has settled: then nothing may be missing. */
const episodes = fc.array(fc.array(happenings, { minLength: 1, maxLength: 12, size: "max" }), {
  minLength: 1,
  maxLength: 6,
  size: "max",
});
const worlds = fc.record({
  remote: fc.boolean(),
  stale: fc.boolean(),
  room: fc.constantFrom(2, 1_000, 1_000),
  lostBefore: fc.boolean(),
  archived: fc.constantFrom("all" as const, "some" as const, "none" as const),
});

test.each([
  ["a log of one process", false],
  ["a log that others write", true],
])("%s: each wanted event once, in order, and one end", async (_name, shared) => {
  const property = fc.asyncProperty(
    ...[worlds, readers, history, episodes, history, endings],
    async ({ lostBefore, ...weather }, options, before, episodes, steps, ending) => {
      const world = Object.assign(new FollowerWorld(shared), weather);
      world.append("token");
      const nobody = {} as Reader;
      for (const [, step] of before) await step(world, nobody);
      if (world.shared && lostBefore) world.finish("store alone");
      const reader = await world.read(options);
      for (const episode of episodes) {
        for (const [, step] of episode) await step(world, reader);
        await settle(world);
        check(world, reader, true);
      }
      for (const [, step] of steps) await step(world, reader);
      const { follower, got, run, from } = reader;
      const wasOver = follower.closed || (ending.name === "failed" && world.questions.length < 2);
      const seen = got.length;
      await ending.step(world, reader);
      await settle(world);
      if (ending.name === "stopped" || ending.name === "revoked") {
        // What `next` has given out when it closes is on its way.
        expect(got.length - seen).toBeLessThanOrEqual(options.pushed ? 0 : 1);
      }
      check(world, reader, ending.name === "nothing");
      const ends = got.filter(({ type }) => type === "runEnd").length;
      if (run !== undefined && run.status !== "running" && ending.name === "nothing") {
        expect([follower.closed, ends]).toEqual([true, from === undefined ? 0 : 1]);
        if (ends > 0) expect(got.at(-1)?.type).toBe("runEnd");
      }
      await follower.return();
      expect(vi.getTimerCount(), "no timer is left").toBe(0);
      const outcome = await reader.ending;
      if (!wasOver) expect(outcomes[ending.name]).toContain(outcome);
      await turn();
      expect(unhandled).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: 500 });
});
