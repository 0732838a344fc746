/** Readers who come back with a place in the log that it cannot serve as it stands. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { MemoryLog } from "../../src/log/memory-log.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { Follower } from "../../src/runs/following/follower.ts";
import { all, botSaying, botWaiting, caller, newRun, types, upTo } from "./run-bench.ts";

test("a place ahead of a run in progress does not keep its reader from the end", async () => {
  const gate = Promise.withResolvers<void>();
  await using langwire = await openLangwire({ bots: [botWaiting(gate.promise)] });
  const run = newRun();
  const first = await langwire.runs.send(caller, run);
  await upTo(first, "token");
  const ahead = await langwire.runs.send(caller, { ...run, lastEventId: "1000000" });
  const watcher = await langwire.runs.watch(caller, { ...run, lastEventId: "1000000" });
  gate.resolve();
  expect((await all(ahead)).at(-1)?.type).toBe("runEnd");
  expect((await upTo(watcher, "runEnd")).at(-1)?.type).toBe("runEnd");
});

test("a reader far behind gets the runs that have left the log in short, and the others whole", async () => {
  await using langwire = await openLangwire({
    bots: [botSaying({ tokens: ["one"] }, { tokens: ["two"] }, { tokens: ["three"] })],
    // The first run leaves when the next is written.
    logBounds: { maxBytes: 3_000 },
  });
  const conversationId = randomUUID();
  const whole: string[][] = [];
  for (const message of ["1", "2", "3"]) {
    const entries = await all(
      await langwire.runs.send(caller, newRun({ conversationId, message })),
    );
    whole.push(types(entries));
  }
  const { oldest } = await langwire.log.read(conversationId, 0);
  expect(oldest).toBeGreaterThan(1);
  const watcher = await langwire.runs.watch(caller, { conversationId, lastEventId: "0" });
  const seen: string[][] = [];
  const seqs: number[] = [];
  for (let run = 0; run < 3; run++) {
    const entries = await upTo(watcher, "runEnd");
    seen.push(types(entries));
    seqs.push(...entries.map(({ seq }) => seq));
  }
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  expect(seen[0]).toEqual(["runStart", "runEnd"]);
  expect(seen[2]).toEqual(whole[2]);
  await watcher.return();
});

test("a run that was claimed before can be read though its bot is gone", async () => {
  await using langwire = await openLangwire({ bots: [botSaying({ tokens: ["a"] })] });
  const run = newRun();
  await all(await langwire.runs.send(caller, run));
  const again = await langwire.runs.send(caller, { ...run, botId: "gone" });
  expect((await all(again)).at(-1)?.type).toBe("runEnd");
});

test("a run that came and went while its reader looked for what it missed is read whole", async () => {
  await using log = new MemoryLog();
  const { runId, conversationId, botId, message } = newRun();
  const at = new Date().toISOString();
  const spanId = randomUUID();
  const end: ChatEvent = { type: "runEnd", runId, at, status: "completed", text: "Soda" };
  const asked = Promise.withResolvers<void>();
  const told = Promise.withResolvers<readonly LogEntry[]>();
  const follower = await Follower.start({
    ...{ log, conversationId, runId, after: 0 },
    missed: () => {
      asked.resolve();
      return told.promise;
    },
  });
  const reading = all(follower);
  await asked.promise;
  const writer = log.open({ conversationId, runId, after: 0 });
  const { userId } = caller;
  writer.append({ type: "runStart", runId, at, conversationId, botId, userId, message });
  writer.append({ type: "token", runId, spanId, text: "Soda" });
  writer.append(end);
  await writer.flushed();
  told.resolve([LogEntry.of(3, end)]);
  expect(types(await reading)).toEqual(["runStart", "token", "runEnd"]);
});
