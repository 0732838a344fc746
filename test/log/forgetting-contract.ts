/** What every event log promises of what it is told to forget. `describeLog` declares it. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { type OpenLog, openRun, readAll } from "./log-contract.ts";

function custom(runId: string, name: string): ChatEvent {
  return { type: "custom", runId, spanId: runId, name };
}

export function describeForgetting(openLog: OpenLog): void {
  test("forgets a conversation that was deleted, and nothing else's", async () => {
    await using log = await openLog();
    const [deleted, other] = [await openRun(log), await openRun(log)];
    for (const { writer, runId } of [deleted, other]) {
      writer.append(custom(runId, "a"));
      await writer.flushed();
      writer.close();
    }
    await log.forget([{ conversationId: deleted.conversationId }]);
    expect(await readAll(log, deleted.conversationId)).toEqual([]);
    expect(await readAll(log, other.conversationId)).toHaveLength(1);
  });

  test("forgets what a run writes after its conversation was deleted, too", async () => {
    await using log = await openLog();
    const { writer, runId, conversationId } = await openRun(log);
    writer.append(custom(runId, "before"));
    await writer.flushed();
    const forgotten = log.forget([{ conversationId }]);
    writer.append(custom(runId, "after"));
    await Promise.race([writer.flushed(), forgotten]);
    writer.close();
    await forgotten;
    await expect.poll(() => readAll(log, conversationId)).toEqual([]);
  });

  test("forgets one's events up to a number, and goes on behind them", async () => {
    await using log = await openLog();
    const { writer, runId, conversationId } = await openRun(log);
    for (const name of ["a", "b", "c"]) writer.append(custom(runId, name));
    await writer.flushed();
    writer.close();
    const next = await openRun(log, conversationId, 3);
    next.writer.append(custom(next.runId, "d"));
    await next.writer.flushed();
    await log.forget([{ conversationId, through: 3 }]);
    expect((await readAll(log, conversationId)).map(({ seq }) => seq)).toEqual([4]);
    next.writer.append(custom(next.runId, "e"));
    await next.writer.flushed();
    next.writer.close();
    expect((await readAll(log, conversationId)).map(({ seq }) => seq)).toEqual([4, 5]);
  });

  test("forgets what it does not have", async () => {
    await using log = await openLog();
    await log.forget([]);
    await log.forget([
      { conversationId: randomUUID() },
      { conversationId: randomUUID(), through: 9 },
    ]);
  });
}
