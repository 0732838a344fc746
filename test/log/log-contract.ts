/**
 * What every event log promises, tried on an adapter. An adapter's test is its set-up and one call.
 */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LogEntry } from "../../src/log/entry.ts";
import type { EventLog, LogBounds, RunWriter } from "../../src/log/log.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { describeForgetting } from "./forgetting-contract.ts";

export type OpenLog = (bounds?: Partial<LogBounds>) => Promise<EventLog>;

const spanId = randomUUID();

function token(runId: string, text: string, span = spanId): ChatEvent {
  return { type: "token", runId, spanId: span, text };
}

function custom(runId: string, name: string): ChatEvent {
  return { type: "custom", runId, spanId, name };
}

function runEnd(runId: string, text = ""): ChatEvent {
  return { type: "runEnd", runId, at: new Date().toISOString(), status: "completed", text };
}

export async function readAll(
  log: EventLog,
  conversationId: string,
  after = 0,
): Promise<LogEntry[]> {
  const all: LogEntry[] = [];
  for (;;) {
    const { entries } = await log.read(conversationId, all.at(-1)?.seq ?? after);
    if (entries.length === 0) return all;
    all.push(...entries);
  }
}

export async function openRun(log: EventLog, conversationId: string = randomUUID(), after = 0) {
  const runId = randomUUID();
  const writer = await log.open({ conversationId, runId, after });
  return { conversationId, runId, writer };
}

async function appendAll(writer: RunWriter, events: readonly ChatEvent[]): Promise<void> {
  for (const event of events) {
    writer.append(event);
    await writer.flushed();
  }
}

function textOf(entries: readonly LogEntry[]): string {
  return entries
    .map(({ event }) => event)
    .map((event) => (event.type === "token" ? event.text : ""))
    .join("");
}

export function describeLog(name: string, openLog: OpenLog): void {
  describe(`${name}: event log contract`, () => {
    test("gives a run's writer what was appended, as it is read", async () => {
      await using log = await openLog();
      const { conversationId, runId, writer } = await openRun(log);
      await appendAll(writer, [custom(runId, "a"), token(runId, "b")]);
      writer.append(token(runId, "c"));
      writer.append(runEnd(runId));
      const shown = (entries: readonly LogEntry[]) => entries.map(({ seq, json }) => [seq, json]);
      const appended = shown(writer.entries());
      await writer.flushed();
      expect(appended).toEqual(shown(await readAll(log, conversationId)));
      writer.close();
      const next = await openRun(log, conversationId, writer.lastSeq);
      next.writer.append(custom(next.runId, "d"));
      expect(next.writer.entries().map(({ runId }) => runId)).toEqual([next.runId]);
      next.writer.close();
    });

    test("numbers a new conversation's events from 1, without gaps, in order", async () => {
      await using log = await openLog();
      const { conversationId, runId, writer } = await openRun(log);
      await appendAll(
        writer,
        ["a", "b", "c"].map((text) => custom(runId, text)),
      );
      const entries = await readAll(log, conversationId);
      expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(entries.map(({ event }) => event)).toEqual(
        ["a", "b", "c"].map((text) => custom(runId, text)),
      );
    });

    test("goes on after the number that the conversation had reached", async () => {
      await using log = await openLog();
      const { conversationId, runId, writer } = await openRun(log, randomUUID(), 41);
      await appendAll(writer, [custom(runId, "a")]);
      expect(writer.lastSeq).toBe(42);
      const { entries, oldest } = await log.read(conversationId, 41);
      expect(entries.map(({ seq }) => seq)).toEqual([42]);
      expect(oldest).toBe(42);
    });

    test("reads from any place on", async () => {
      await using log = await openLog();
      const { conversationId, runId, writer } = await openRun(log);
      await appendAll(
        writer,
        Array.from({ length: 600 }, (_, index) => custom(runId, String(index))),
      );
      for (const after of [0, 1, 255, 256, 257, 598, 599, 600]) {
        const entries = await readAll(log, conversationId, after);
        expect(entries.length).toBe(600 - after);
        expect(entries[0]?.seq ?? 601).toBe(after + 1);
      }
    });

    test("joins neighbouring tokens of one span that are appended together, and no others", async () => {
      await using log = await openLog();
      const { conversationId, runId, writer } = await openRun(log);
      const other = randomUUID();
      for (const event of [
        token(runId, "a"),
        token(runId, "b"),
        token(runId, "c", other),
        token(runId, "d"),
        custom(runId, "between"),
        token(runId, "e"),
      ]) {
        writer.append(event);
      }
      await writer.flushed();
      const entries = await readAll(log, conversationId);
      expect(entries.map(({ event }) => event)).toEqual([
        token(runId, "ab"),
        token(runId, "c", other),
        token(runId, "d"),
        custom(runId, "between"),
        token(runId, "e"),
      ]);
      expect(writer.lastSeq).toBe(5);
    });

    test("joins what a tool says while it works where that is text alone", async () => {
      await using log = await openLog();
      const { conversationId, runId, writer } = await openRun(log);
      const says = (more: { text?: string; data?: string }): ChatEvent => ({
        type: "toolProgress",
        runId,
        spanId,
        ...more,
      });
      const apart = [
        says({ text: "ab" }),
        says({ data: "half" }),
        says({ text: "c", data: "more" }),
        says({ text: "d" }),
        token(runId, "e"),
        says({}),
      ];
      for (const event of [says({ text: "a" }), says({ text: "b" }), ...apart.slice(1)]) {
        writer.append(event);
      }
      await writer.flushed();
      expect((await readAll(log, conversationId)).map(({ event }) => event)).toEqual(apart);
    });

    test("never changes an entry that was readable", async () => {
      await using log = await openLog();
      const { conversationId, runId, writer } = await openRun(log);
      await appendAll(writer, [token(runId, "a")]);
      const before = (await readAll(log, conversationId)).map(({ json }) => json);
      await appendAll(writer, [token(runId, "b")]);
      const after = (await readAll(log, conversationId)).map(({ json }) => json);
      expect(after.slice(0, 1)).toEqual(before);
      expect(after.length).toBe(2);
    });

    test("keeps any text through any cuts, halves of surrogate pairs too", async () => {
      await using log = await openLog();
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.boolean()), { maxLength: 20 }),
          fc.constantFrom("😀", "é", "炭酸水\r\n", '"\\\u0000', "\u2028"),
          async (pieces, special) => {
            const { conversationId, runId, writer } = await openRun(log);
            const halves = [...special].flatMap((character) => character.split(""));
            const parts = [...halves.map((half) => [half, false] as const), ...pieces];
            for (const [text, pause] of parts) {
              writer.append(token(runId, text));
              if (pause) await writer.flushed();
            }
            await writer.flushed();
            expect(textOf(await readAll(log, conversationId))).toBe(
              parts.map(([text]) => text).join(""),
            );
            writer.close();
          },
        ),
        { numRuns: 100 },
      );
    });

    test("wakes a subscriber for what came after it subscribed", async () => {
      await using log = await openLog();
      const { conversationId, runId, writer } = await openRun(log);
      const woken = Promise.withResolvers<void>();
      const unsubscribe = await log.subscribe(conversationId, woken.resolve);
      writer.append(custom(runId, "a"));
      await woken.promise;
      expect((await log.read(conversationId, 0)).entries.length).toBe(1);
      unsubscribe();
    });

    test("wakes a subscriber who came before the conversation's first run", async () => {
      await using log = await openLog();
      const conversationId = randomUUID();
      const woken = Promise.withResolvers<void>();
      const unsubscribe = await log.subscribe(conversationId, woken.resolve);
      expect(await log.read(conversationId, 7)).toMatchObject({ entries: [], oldest: undefined });
      const { runId, writer } = await openRun(log, conversationId, 7);
      writer.append(custom(runId, "a"));
      await woken.promise;
      expect((await readAll(log, conversationId, 7)).map(({ seq }) => seq)).toEqual([8]);
      unsubscribe();
    });

    test("gives nothing away of a conversation that it does not know", async () => {
      await using log = await openLog();
      expect(await log.read(randomUUID(), 0)).toEqual({ entries: [], oldest: undefined });
    });

    test("a second run goes on where the first ended", async () => {
      await using log = await openLog();
      const { conversationId, runId, writer } = await openRun(log);
      await appendAll(writer, [custom(runId, "a"), runEnd(runId)]);
      writer.close();
      const second = await openRun(log, conversationId, 2);
      await appendAll(second.writer, [custom(second.runId, "b")]);
      const entries = await readAll(log, conversationId);
      expect(entries.map(({ seq, runId: of }) => [seq, of])).toEqual([
        [1, runId],
        [2, runId],
        [3, second.runId],
      ]);
    });

    test("finished runs leave after the retention time, and readers who are behind are woken", async () => {
      await using log = await openLog({ retentionMs: 50 });
      const { conversationId, runId, writer } = await openRun(log);
      await appendAll(writer, [custom(runId, "a"), runEnd(runId)]);
      const left = Promise.withResolvers<void>();
      const unsubscribe = await log.subscribe(conversationId, () => {
        Promise.resolve(log.read(conversationId, 0)).then(({ oldest }) => {
          if (oldest !== 1) left.resolve();
        });
      });
      writer.close();
      await left.promise;
      const { entries, oldest } = await log.read(conversationId, 0);
      expect(entries).toEqual([]);
      expect(oldest === undefined || oldest === 3).toBe(true);
      unsubscribe();
    });

    test("a run in progress stays, however long the retention time is over", async () => {
      await using log = await openLog({ retentionMs: 1 });
      const { conversationId, runId, writer } = await openRun(log);
      await appendAll(writer, [custom(runId, "a")]);
      const other = await openRun(log);
      const gone = Promise.withResolvers<void>();
      const unsubscribe = await log.subscribe(other.conversationId, () => {
        Promise.resolve(log.read(other.conversationId, 0)).then(({ oldest }) => {
          if (oldest !== 1) gone.resolve();
        });
      });
      await appendAll(other.writer, [runEnd(other.runId)]);
      other.writer.close();
      await gone.promise;
      expect((await readAll(log, conversationId)).length).toBe(1);
      unsubscribe();
    });

    describeForgetting(openLog);
  });
}
