/**
 * What is archived of a run, whatever slices its log comes in: its own events, all of them, and its end; or nothing,
 * where the log does not have all of them, or one of them cannot be packed.
 */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { ArchiveWriter, RunArchive } from "../../src/log/archive/run-archive.ts";
import { LogEntry } from "../../src/log/entry.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { type ArchivedEnd, Archiver } from "../../src/runs/archives/archiver.ts";
import type { Run } from "../../src/store/store.ts";

const at = "2026-01-01T00:00:00.000Z";
const run: Run = {
  ...{ runId: randomUUID(), conversationId: randomUUID(), botId: "b", userId: "u", message: "m" },
  ...{ status: "running", firstSeq: 5, startedAt: at },
};
const customOf = (seq: number, text: string, runId = run.runId) =>
  LogEntry.of(seq, { type: "custom", runId, spanId: "s", name: text });

/** One that its archive cannot take. */
function brokenAt(seq: number): LogEntry {
  return Object.defineProperty(customOf(seq, "x"), "jsonBytes", {
    get: () => {
      throw new Error("broken");
    },
  });
}

const endAt = (endSeq: number): ArchivedEnd => ({
  status: "completed",
  text: "",
  endSeq,
  endedAt: at,
});

test("all of its own events and its end, or nothing", async () => {
  const slices = fc.array(
    fc.array(fc.constantFrom("own", "own", "other's", "broken"), { maxLength: 4 }),
    { maxLength: 5 },
  );
  const property = fc.asyncProperty(slices, fc.boolean(), async (kinds, beginsLate) => {
    const failed = vi.fn();
    const archiver = new Archiver({ keepEventsMs: Number.POSITIVE_INFINITY, observer: { failed } });
    const begun = archiver.begin(run) ?? expect.fail("not kept");
    const own: LogEntry[] = [];
    let seq = run.firstSeq + Number(beginsLate);
    let isBroken = false;
    for (const slice of kinds) {
      const entries = slice.map((kind) => {
        if (kind === "other's") return customOf(0, "y", "another run");
        const entry = kind === "broken" ? brokenAt(seq++) : customOf(seq++, `${seq}`);
        isBroken ||= kind === "broken";
        own.push(entry);
        return entry;
      });
      await begun.add(entries);
    }
    const archive = await begun.end(endAt(seq));
    const isWhole = own.length > 0 && !beginsLate && !isBroken;
    expect(archive !== undefined).toBe(isWhole);
    // What is not tried is no failure either.
    expect(failed).toHaveBeenCalledTimes(isBroken && !beginsLate ? 1 : 0);
    if (archive === undefined) return;
    const read: LogEntry[] = [];
    const reading = RunArchive.open(archive.events);
    for (let after = 0; ; after = read.at(-1)?.seq ?? 0) {
      const some = await reading.after(after);
      if (some.length === 0) break;
      read.push(...some);
    }
    const shown = (all: readonly LogEntry[]) => all.map((entry) => [entry.seq, entry.json]);
    expect(shown(read.slice(0, -1))).toEqual(shown(own));
    expect(read.at(-1)).toMatchObject({ seq, type: "runEnd", runId: run.runId });
  });
  await fc.assert(property, { numRuns: 60 });
});

test("of what ended so that there is memory again nothing is packed", async () => {
  const failed = vi.fn();
  const archiver = new Archiver({ keepEventsMs: 1, observer: { failed } });
  const error = new LangwireError("OVERLOADED").toFailure();
  const end = { ...endAt(6), status: "failed" as const, error };
  expect(await archiver.archive(run, [customOf(5, "x")], end)).toBeUndefined();
  expect(await archiver.archive(run, [brokenAt(5)], end)).toBeUndefined();
  expect(failed).not.toHaveBeenCalled();
});

test("what is large is packed one at a time, and keeps nothing small waiting", async () => {
  const packing = { now: 0, most: 0 };
  const large = "x".repeat(300 * 1024);
  const held = Promise.withResolvers<void>();
  using add = vi.spyOn(ArchiveWriter.prototype, "add");
  add.mockImplementation(async ([entry]) => {
    if ((entry?.bytes ?? 0) < large.length) return;
    packing.most = Math.max(packing.most, ++packing.now);
    await held.promise;
    packing.now -= 1;
  });
  const archiver = new Archiver({ keepEventsMs: 1, observer: {} });
  const begin = (text: string) => archiver.begin(run)?.add([customOf(run.firstSeq, text)]);
  const larges = [begin(large), begin(large), begin(large)];
  await begin("small");
  held.resolve();
  await Promise.all(larges);
  expect(packing.most).toBe(1);
});
