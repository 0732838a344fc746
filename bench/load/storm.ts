/** Many who lose their connections in one moment, and come back as the client does: after waits of random length. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createBackoff } from "../../client/src/connection/backoff.ts";
import { openTrpc, type TrpcSocket } from "../clients/trpc.ts";

const opensAtOnce = 50;

interface Watcher {
  readonly userId: string;
  readonly conversationId: string;
  connection: TrpcSocket | undefined;
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
  /** @returns ms until the last of them watches again, and how many attempts that took */
  reconnectAll: async ({ url }: { url: string }) => {
    const lostAtMs = performance.now();
    let attempts = 0;
    for (const { connection } of watchers) connection?.socket.close();
    await Promise.all(
      watchers.map(async (watcher) => {
        const backoff = createBackoff();
        for (;;) {
          await sleep(backoff.next());
          attempts += 1;
          try {
            watcher.connection = await openTrpc(url, watcher);
            return await watch(watcher);
          } catch {}
        }
      }),
    );
    return { tookMs: performance.now() - lostAtMs, attempts };
  },
};

/** Settles when the subscription has begun. */
async function watch({ connection, conversationId }: Watcher): Promise<void> {
  await connection?.begin("chat.watch", { conversationId });
}
