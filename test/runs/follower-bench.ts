/** A follower of a log that subscribes and is read when the test says so, and what the two ask each other. */
import { randomUUID } from "node:crypto";
import { getEventListeners } from "node:events";
import { LogEntry } from "../../src/log/entry.ts";
import type { EventLog } from "../../src/log/log.ts";
import type { FollowOptions } from "../../src/runs/following/follow-options.ts";
import { Follower } from "../../src/runs/following/follower.ts";

export const runId = randomUUID();
export const entryOf = (seq: number) =>
  LogEntry.of(seq, { type: "custom", runId, spanId: "s", name: `${seq}` });

export function setUp(more: Partial<FollowOptions> = {}) {
  const stopping = new AbortController();
  const world = {
    ...{ entries: [] as LogEntry[], oldest: 1, unsubscribed: 0, asked: 0, change: () => {} },
    /** From where on the log was read. */
    reads: [] as number[],
    closed: [] as Follower[],
    subscribing: Promise.resolve(),
    /** What the log's next answers wait for. */
    reading: undefined as Promise<void> | undefined,
  };
  const log: Pick<EventLog, "subscribe" | "read"> = {
    subscribe: async (_id, onChange) => {
      await world.subscribing;
      world.change = onChange;
      return () => {
        world.unsubscribed += 1;
      };
    },
    read: (_id, after) => {
      world.reads.push(after);
      const { oldest } = world;
      const has = ({ seq }: LogEntry) => seq > after && seq >= oldest;
      const slice = () => ({ entries: world.entries.filter(has), oldest, isLast: true });
      return world.reading?.then(slice) ?? slice();
    },
  };
  const { signal } = stopping;
  const start = () =>
    Follower.start({
      ...{ log: log as EventLog, conversationId: "c", after: 0, signal },
      backfill: {
        acrossGap: async () => [],
        afterSilence: async () => {
          world.asked += 1;
          return [];
        },
        isWithinArchive: () => false,
      },
      onClose: (follower) => void world.closed.push(follower),
      ...more,
    });
  const append = (count = 1) => {
    for (let added = 0; added < count; added++) {
      world.entries.push(entryOf(world.entries.length + 1));
    }
    world.change();
  };
  return { world, stopping, start, append, listeners: () => getEventListeners(signal, "abort") };
}

/** Until everything is done that waits for nothing but its turn. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
