/** Many who lose their connections in one moment, and come back as the client does: after waits of random length. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createBackoff } from "../../client/src/connection/backoff.ts";
import { openTrpc, type TrpcSocket } from "../clients/trpc.ts";

const opensAtOnce = 50;
/** As long as the client waits for a socket to open. */
const connectTimeoutMs = 10_000;

interface Watcher {
  readonly userId: string;
  readonly conversationId: string;
  connection: TrpcSocket | undefined;
}

export interface Reconnected {
  /** Until the last of them watched again. */
  readonly tookMs: number;
  /** Until half of them did. */
  readonly halfMs: number;
  /** Sockets that were tried. */
  readonly attempts: number;
}

const watchers: Watcher[] = [];

export const stormCommands = {
  /** Opens sockets, each of a user of its own, who watches a conversation of its own. */
  openWatchers: async ({ url, count }: { url: string; count: number }) => {
    const missing = Array.from({ length: count }, (_, index) => ({
      userId: `watcher${index}`,
      conversationId: randomUUID(),
      connection: undefined,
    }));
    for (let from = 0; from < count; from += opensAtOnce) {
      await Promise.all(
        missing.slice(from, from + opensAtOnce).map(async (watcher: Watcher) => {
          watcher.connection = await openTrpc(url, watcher);
          const { conversationId } = watcher;
          await watcher.connection.mutate("conversations.create", {
            conversationId,
            botId: "chat",
          });
          await watch(watcher);
        }),
      );
    }
    watchers.push(...missing);
  },
  /** @param withinMs fails when not all watch again by then */
  reconnectAll: async ({ url, withinMs }: { url: string; withinMs: number }) => {
    const lostAtMs = performance.now();
    const times: number[] = [];
    let attempts = 0;
    for (const { connection } of watchers) connection?.socket.close();
    const all = watchers.map(async (watcher) => {
      const backoff = createBackoff();
      for (;;) {
        await sleep(backoff.next());
        attempts += 1;
        try {
          watcher.connection = await openTrpc(url, { ...watcher, timeoutMs: connectTimeoutMs });
          await watch(watcher);
          return times.push(performance.now() - lostAtMs);
        } catch {}
      }
    });
    await Promise.race([Promise.all(all), sleep(withinMs)]);
    if (times.length < watchers.length) {
      throw new Error(`after ${withinMs} ms, ${times.length} of ${watchers.length} are back`);
    }
    const at = (index: number): number => times[index] ?? Number.NaN;
    const [halfMs, tookMs] = [at(Math.floor(times.length / 2)), at(times.length - 1)];
    return { tookMs, halfMs, attempts } satisfies Reconnected;
  },
};

/** Settles when the subscription has begun. */
async function watch({ connection, conversationId }: Watcher): Promise<void> {
  await connection?.begin("chat.watch", { conversationId });
}
