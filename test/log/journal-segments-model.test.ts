/**
 * The journal's segments beside a table of rows: whatever is written, leaves the log and is erased, and
 * wherever the compactor pauses, what the log still has is on disk, once and in order, and what has to go
 * goes.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConversationLog } from "../../src/log/conversation-log.ts";
import { type Compaction, JournalSegments, note } from "../../src/log/journal/journal-segments.ts";

/** As in journal-segments.ts: characters after which a segment ends. */
const segmentLength = 1024 * 1024;

/** What a row has of one conversation. Events are counted, and not written. */
interface Section {
  readonly log: ConversationLog;
  readonly seqs: readonly number[];
}

class ModelledJournal {
  readonly segments = new JournalSegments();
  readonly logs = ["a", "b", "c", "d"].map((id) => new ConversationLog(id));
  readonly #rows = new Map<number, readonly Section[]>();
  /** Of each event, by its conversation and its number. */
  readonly #lengths = new Map<string, number>();
  #nextId = 1;
  #longestRow = 0;
  #due: Iterator<Compaction | undefined> | undefined;

  constructor() {
    for (const log of this.logs) log.placeAfter(0);
  }

  /** One row, with events of some of the conversations. */
  write(lengths: readonly (number | undefined)[]): void {
    const id = this.#nextId++;
    const sections: Section[] = [];
    for (const [index, length] of lengths.entries()) {
      const log = this.logs[index];
      if (log === undefined || length === undefined) continue;
      const firstSeq = log.lastSeq + 1;
      for (const name of ["x", "y"]) {
        log.append({ type: "custom", runId: "r", spanId: "s", name });
        this.#lengths.set(`${log.conversationId} ${log.lastSeq}`, length / 2);
      }
      log.commit();
      const { lastSeq } = log;
      sections.push({ log, seqs: [firstSeq, lastSeq] });
      note(this.segments.row(id, length), log, { firstSeq, lastSeq, length });
    }
    if (sections.length > 0) this.#rows.set(id, sections);
    this.#longestRow = Math.max(this.#longestRow, this.#lengthOf(sections));
  }

  /** Events leave the log, all but so many of the last. */
  evict(index: number, left: number): void {
    const log = this.logs[index];
    log?.dropThrough(log.lastSeq - left);
  }

  erase(indexes: readonly number[]): void {
    const ids = indexes.map((index) => this.logs[index]?.conversationId ?? "");
    this.segments.erase(new Set(ids));
    this.#due = undefined;
  }

  /** As the compactor does it. @returns what is done, if something is; "end" after the last segment */
  step(): Compaction | "end" | undefined {
    this.#due ??= this.segments.due();
    const { done, value } = this.#due.next();
    if (value !== undefined) this.#compact(value);
    if (done !== true) return value;
    this.#due = undefined;
    return "end";
  }

  /** From the first segment to the last. @returns how many segments were rewritten, of how many */
  pass(): { readonly rewritten: number; readonly segments: number } {
    this.#due = undefined;
    let [rewritten, segments] = [0, 0];
    for (let step = this.step(); step !== "end"; step = this.step()) {
      segments += 1;
      if (step !== undefined) rewritten += 1;
    }
    return { rewritten, segments };
  }

  #compact({ segment, kept }: Compaction): void {
    const sections = kept.map(({ conversation: log, firstSeq, lastSeq }): Section => {
      return { log, seqs: log.between(firstSeq, lastSeq).map(({ seq }) => seq) };
    });
    for (let id = segment.firstId; id < segment.endId; id++) this.#rows.delete(id);
    if (sections.length > 0) this.#rows.set(segment.firstId, sections);
    const length = this.#lengthOf(sections);
    // So much is written again at once, at the most.
    expect(length).toBeLessThanOrEqual(segmentLength + this.#longestRow);
    this.segments.compacted(segment, length);
  }

  /** What a start would read of a conversation, in the order of the rows. */
  stored(log: ConversationLog): number[] {
    const rows = [...this.#rows].sort(([one], [other]) => one - other);
    return rows.flatMap(([, sections]) =>
      sections.filter((section) => section.log === log).flatMap(({ seqs }) => seqs),
    );
  }

  get storedLength(): number {
    return this.#lengthOf([...this.#rows.values()].flat());
  }

  /** All that was ever written of the conversations of which the log has anything. */
  get neededLength(): number {
    const needed = this.logs.filter(({ isEmpty }) => !isEmpty);
    return this.#lengthOf(
      needed.map((log) => ({ log, seqs: Array.from({ length: log.lastSeq }, (_, at) => at + 1) })),
    );
  }

  #lengthOf(sections: readonly Section[]): number {
    const lengths = sections.flatMap(({ log, seqs }) =>
      seqs.map((seq) => this.#lengths.get(`${log.conversationId} ${seq}`) ?? Number.NaN),
    );
    return lengths.reduce((sum, length) => sum + length, 0);
  }

  /** All that the log has is on disk, once, in order; nothing is there that was never written. */
  check(): void {
    for (const log of this.logs) {
      const stored = this.stored(log);
      expect(stored).toEqual([...new Set(stored)].sort((one, other) => one - other));
      expect(stored.at(-1) ?? 0).toBeLessThanOrEqual(log.lastSeq);
      const { oldest, lastSeq } = log;
      const inLog = Array.from({ length: lastSeq + 1 - oldest }, (_, at) => oldest + at);
      expect(stored.filter((seq) => seq >= oldest)).toEqual(inLog);
    }
  }
}

const index = fc.nat({ max: 3 });
const length = fc.constantFrom<number | undefined>(
  100,
  100,
  300_000,
  1_100_000,
  undefined,
  undefined,
);
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ write: fc.tuple(length, length, length, length) }) },
  {
    weight: 4,
    arbitrary: fc.record({ evict: index, left: fc.constantFrom<number>(0, 0, 1, 2, 3) }),
  },
  { weight: 2, arbitrary: fc.record({ erase: fc.subarray([0, 1, 2, 3], { minLength: 1 }) }) },
  { weight: 2, arbitrary: fc.constant("step" as const) },
  { weight: 2, arbitrary: fc.constant("pass" as const) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

function happens(journal: ModelledJournal, it: Happening): void {
  if (it === "step") journal.step();
  else if (it === "pass") {
    journal.pass();
    // Of conversations that have left, nothing stays that is more than the others have.
    expect(journal.storedLength).toBeLessThanOrEqual(2 * journal.neededLength);
    // And what was rewritten is as it should be.
    expect(journal.pass().rewritten).toBe(0);
    // Neighbours that are small are one: a pass takes as long as there is something to keep.
    const most = 2 + (2 * journal.storedLength) / segmentLength;
    expect(journal.pass().segments).toBeLessThanOrEqual(most);
  } else if ("write" in it) journal.write(it.write);
  else if ("evict" in it) journal.evict(it.evict, it.left);
  else {
    journal.erase(it.erase);
    journal.pass();
    for (const at of it.erase) {
      const log = journal.logs[at] ?? expect.fail();
      expect(journal.stored(log).filter((seq) => seq < log.oldest)).toEqual([]);
    }
    // Of what is not there any more, nothing has to be rewritten.
    if (it.erase.some((at) => journal.logs[at]?.isEmpty !== true)) return;
    journal.pass();
    journal.erase(it.erase);
    expect(journal.pass().rewritten).toBe(0);
  }
}

const [large, some, few] = [1_100_000, 300_000, 100];
const none = undefined;
/** Two segments become one, of which the second has something that is due: seldom made by chance. */
const joining: [Happening[]][] = [
  [
    [
      { write: [few, large, none, none] },
      { write: [few, large, none, none] },
      { evict: 1, left: 1 },
      { write: [few, few, none, none] },
      { erase: [1] },
      { evict: 1, left: 0 },
      { erase: [1] },
    ],
  ],
  [
    [
      { write: [large, few, few, none] },
      { write: [large, few, few, none] },
      { write: [few, few, few, none] },
      { evict: 0, left: 3 },
      { erase: [2] },
      { evict: 0, left: 0 },
      "pass",
    ],
  ],
  [
    [
      { write: [large, none, few, none] },
      { write: [large, few, some, none] },
      { write: [few, few, few, none] },
      { evict: 0, left: 0 },
      "step",
      "step",
      { evict: 1, left: 0 },
      { erase: [1] },
    ],
  ],
  // What is to be erased had left the log before.
  [
    [
      { write: [none, none, large, few] },
      { write: [some, few, none, none] },
      { write: [large, none, some, none] },
      { write: [few, few, few, few] },
      { evict: 0, left: 0 },
      "pass",
      { evict: 1, left: 0 },
      "pass",
      { evict: 2, left: 4 },
      "pass",
      { erase: [1] },
    ],
  ],
];

test("what the log has is on disk, and little else, whatever happens in whatever order", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40, size: "max" }), (happenings) => {
      const journal = new ModelledJournal();
      for (const it of happenings) {
        happens(journal, it);
        journal.check();
      }
    }),
    { numRuns: 150, examples: joining },
  );
});
