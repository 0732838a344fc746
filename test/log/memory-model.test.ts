/**
 * The memory log beside a model of it: whatever is opened, appended, closed and waited for, a reader gets
 * each event from where it stands, in bounded slices; runs that have ended leave whole, the oldest first;
 * and the log knows what it holds.
 */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RunWriter } from "../../src/log/log.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";

const retentionMs = 1_000;
const maxBytes = 100_000;
/** As ARCHITECTURE's readers are promised: a slice is bounded in number and in bytes. */
const [sliceEntries, sliceBytes, entryBytes, overheadBytes] = [256, 64 * 1024, 32 * 1024, 128];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface ModelRun {
  readonly writer: RunWriter;
  readonly runId: string;
  readonly conversation: ModelConversation;
  /** When its retention is over; undefined while it is in progress. */
  endsAtMs?: number;
}

/** What was appended to a conversation, and who listens. */
interface ModelConversation {
  readonly id: string;
  /** Of each event that was appended, in order: its run and a mark of its own. */
  readonly marks: { readonly runId: string; readonly mark: string }[];
  run: ModelRun | undefined;
  lastSeq: number;
  wakes: number;
  seen: string;
}

class ModelledLog {
  readonly log = new MemoryLog({ bounds: { retentionMs, maxBytes } });
  readonly conversations: ModelConversation[] = [];
  readonly #closed: ModelRun[] = [];
  #marks = 0;

  constructor(count: number) {
    for (let index = 0; index < count; index++) {
      const conversation: ModelConversation = {
        ...{ id: `c${index}`, marks: [], run: undefined, lastSeq: 0, wakes: 0, seen: "[]" },
      };
      this.log.subscribe(conversation.id, () => {
        conversation.wakes += 1;
      });
      this.conversations.push(conversation);
    }
  }

  append(conversation: ModelConversation, kind: "token" | "custom", length: number): void {
    const run = conversation.run ?? this.#open(conversation);
    const { runId, writer } = run;
    const mark = `${++this.#marks},`;
    conversation.marks.push({ runId, mark });
    const text = mark.padEnd(length, "é");
    const before = this.log.bytes;
    const closed = this.#closed.map((it) => this.#bytesOf(it));
    const [lastSeq, spanId] = [writer.lastSeq, "s"];
    const event: ChatEvent =
      kind === "token"
        ? { type: "token", runId, spanId, text }
        : { type: "custom", runId, spanId, name: mark, data: text };
    const grown = writer.append(event);
    expect(grown).toBeGreaterThanOrEqual(Buffer.byteLength(text));
    expect(writer.lastSeq - lastSeq).toBeLessThanOrEqual(1);
    // What is appended is there, or has made room for itself.
    expect(this.log.bytes).toBeLessThanOrEqual(before + grown);
    if (this.log.bytes > maxBytes) expect(this.#closed.some((it) => this.#has(it))).toBe(false);
    // And for no more than it needs.
    const left = closed.filter((_, at) => !this.#has(this.#closed[at] ?? expect.fail()));
    const lastToLeave = left.findLast((bytes) => bytes > 0);
    if (lastToLeave !== undefined) {
      expect(this.log.bytes + lastToLeave).toBeGreaterThan(maxBytes);
    }
  }

  async close({ run }: ModelConversation): Promise<void> {
    if (run === undefined) return;
    const { conversation, writer, runId } = run;
    writer.append({ type: "runEnd", runId, at: "2026-01-01", status: "completed", text: "" });
    await writer.flushed();
    writer.close();
    conversation.lastSeq = writer.lastSeq;
    conversation.run = undefined;
    this.#closed.push({ ...run, endsAtMs: performance.now() + retentionMs });
  }

  async flush(): Promise<void> {
    await Promise.all(this.conversations.map(({ run }) => run?.writer.flushed()));
  }

  /** Everything that the log has, as somebody reads it who has nothing. */
  read(conversation: ModelConversation, after = 0) {
    const entries = [];
    let oldest: number | undefined;
    for (let position = after; ; ) {
      const slice = this.log.read(conversation.id, position);
      oldest ??= slice.oldest;
      const bytes = slice.entries.reduce((sum, entry) => sum + entry.bytes, 0);
      expect(slice.entries.length).toBeLessThanOrEqual(sliceEntries);
      expect(bytes).toBeLessThanOrEqual(sliceBytes + 2 * entryBytes);
      if (slice.entries.length === 0) return { entries, oldest };
      const first = Math.max(position + 1, slice.oldest ?? 1);
      expect(slice.entries.map(({ seq }) => seq)).toEqual(
        slice.entries.map((_, index) => first + index),
      );
      entries.push(...slice.entries);
      position = slice.entries.at(-1)?.seq ?? position;
    }
  }

  check(): void {
    let bytes = 0;
    for (const conversation of this.conversations) {
      const { entries, oldest } = this.read(conversation);
      const runs = new Set(entries.map(({ runId }) => runId));
      const marks = conversation.marks.filter(({ runId }) => runs.has(runId));
      expect(entries.flatMap(marksOf)).toEqual(marks.map(({ mark }) => mark));
      expect(oldest ?? 1).toBe(entries[0]?.seq ?? oldest ?? 1);
      expect(this.read(conversation, 3).entries.map(({ seq }) => seq)).toEqual(
        entries.map(({ seq }) => seq).filter((seq) => seq > 3),
      );
      bytes += entries.reduce((sum, entry) => sum + entry.bytes + overheadBytes, 0);
      if (conversation.run !== undefined) {
        expect(runs).toContain(conversation.run.runId);
        expect(entries.at(-1)?.seq).toBe(conversation.run.writer.lastSeq);
      }
      const seen = JSON.stringify(entries.map(({ json }) => json));
      if (seen !== conversation.seen) expect(conversation.wakes).toBeGreaterThan(0);
      Object.assign(conversation, { seen, wakes: 0 });
    }
    expect(this.log.bytes).toBe(bytes);
    this.#checkRetention();
  }

  /** In the order in which they ended, and none longer than its time. */
  #checkRetention(): void {
    const here = this.#closed.map((run) => this.#has(run));
    expect(here).toEqual([...here].sort((a, b) => Number(a) - Number(b)));
    for (const [index, { endsAtMs = 0 }] of this.#closed.entries()) {
      if (endsAtMs <= performance.now()) expect(here[index]).toBe(false);
    }
  }

  #bytesOf({ runId, conversation }: ModelRun): number {
    return this.read(conversation)
      .entries.filter((entry) => entry.runId === runId)
      .reduce((sum, { bytes }) => sum + bytes + overheadBytes, 0);
  }

  #has({ runId, conversation }: ModelRun): boolean {
    return this.read(conversation).entries.some((entry) => entry.runId === runId);
  }

  #open(conversation: ModelConversation): ModelRun {
    const runId = `${conversation.id} ${this.#marks}`;
    const after = conversation.lastSeq;
    const writer = this.log.open({ conversationId: conversation.id, runId, after });
    expect(writer.lastSeq).toBe(after);
    conversation.run = { writer, runId, conversation };
    return conversation.run;
  }
}

function marksOf({ event }: { readonly event: ChatEvent }): string[] {
  if (event.type === "custom") return [event.name];
  if (event.type !== "token") return [];
  return [...event.text.matchAll(/\d+,/g)].map(([mark]) => mark);
}

const index = fc.nat({ max: 2 });
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("token" as const, "custom" as const),
      index,
      length: fc.constantFrom(1, 20, 2_000, 20_000),
      times: fc.constantFrom(1, 1, 5),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("close" as const), index }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("flush" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(1, 600, 1_100),
    }),
  },
);

test("what a reader gets, what leaves, and what it all comes to", async () => {
  const property = fc.asyncProperty(
    fc.array(happening, { minLength: 1, maxLength: 40, size: "max" }),
    async (happenings) => {
      await using modelled = new AsyncDisposableStack();
      const model = new ModelledLog(3);
      modelled.use(model.log);
      for (const it of happenings) {
        switch (it.kind) {
          case "close":
            await model.close(model.conversations[it.index] ?? expect.fail());
            break;
          case "flush":
            await model.flush();
            break;
          case "wait":
            await model.flush();
            await vi.advanceTimersByTimeAsync(it.ms);
            break;
          default:
            for (let time = 0; time < it.times; time++) {
              model.append(model.conversations[it.index] ?? expect.fail(), it.kind, it.length);
            }
            continue;
        }
        await model.flush();
        model.check();
      }
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

test("a reader who has stopped holds a slice, of at most so many entries and bytes", async () => {
  await using log = new MemoryLog();
  const [conversationId, runId] = ["c", "r"];
  const writer = log.open({ conversationId, runId, after: 0 });
  const data = "x".repeat(1_000);
  for (let count = 0; count < 400; count++) {
    writer.append({ type: "custom", runId, spanId: "s", name: `${count}`, data });
  }
  const small = log.open({ conversationId: "small", runId, after: 0 });
  for (let count = 0; count < 400; count++) {
    small.append({ type: "custom", runId, spanId: "s", name: `${count}` });
  }
  await Promise.all([writer.flushed(), small.flushed()]);
  const slice = log.read(conversationId, 0).entries;
  const bytes = slice.reduce((sum, entry) => sum + entry.bytes, 0);
  expect(bytes).toBeGreaterThan(sliceBytes);
  expect(bytes - (slice.at(-1)?.bytes ?? 0)).toBeLessThanOrEqual(sliceBytes);
  expect(log.read("small", 0).entries).toHaveLength(sliceEntries);
});

test("what nobody writes, reads or has written is forgotten", async () => {
  await using log = new MemoryLog({ bounds: { retentionMs } });
  const unsubscribe = log.subscribe("c", () => {});
  const writer = log.open({ conversationId: "c", runId: "r", after: 7 });
  writer.append({ type: "custom", runId: "r", spanId: "s", name: "x" });
  await writer.flushed();
  unsubscribe();
  expect(log.read("c", 0)).toMatchObject({ oldest: 8 });
  writer.close();
  expect(log.read("c", 0).entries).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(retentionMs);
  expect(log.read("c", 0)).toEqual({ entries: [], oldest: undefined });
  expect(log.bytes).toBe(0);
  const again = log.open({ conversationId: "c", runId: "r2", after: 8 });
  expect(log.read("c", 0)).toEqual({ entries: [], oldest: 9, isLast: true });
  again.abandon();
  log.subscribe("c", () => {})();
  expect(log.read("c", 0)).toEqual({ entries: [], oldest: undefined });
});

test("what an earlier process left in the middle is told, and what ended is not", async () => {
  await using log = new MemoryLog();
  for (const [conversationId, type] of [
    ["open", "custom"],
    ["ended", "runEnd"],
  ] as const) {
    const runId = `run of ${conversationId}`;
    const writer = log.open({ conversationId, runId, after: 0 });
    writer.append({ type: "custom", runId, spanId: "s", name: "x" });
    if (type === "runEnd") {
      writer.append({ type, runId, at: "2026-01-01", status: "completed", text: "" });
    }
    await writer.flushed();
  }
  log.subscribe("only read", () => {});
  expect(log.leftBehind()).toEqual([
    { conversationId: "open", runId: "run of open", lastSeq: 2 - 1 },
  ]);
  expect([log.healthy, log.mayLackEvents]).toEqual([true, true]);
});
