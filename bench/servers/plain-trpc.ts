/** tRPC over `ws` with superjson: a subscription that yields what `streamEvents` does. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { initTRPC } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import superjson from "superjson";
import { WebSocketServer } from "ws";
import { z } from "zod";
import type { StartServer } from "./bench-server.ts";
import { createChain } from "./chain.ts";

export const start: StartServer = async (options) => {
  const chain = await createChain(options);
  const t = initTRPC.create({ transformer: superjson });
  const router = t.router({
    chat: t.procedure.input(z.object({ message: z.string() })).subscription(async function* ({
      input,
      signal,
    }) {
      const settings = { version: "v2", ...(signal && { signal }) } as const;
      for await (const event of chain.streamEvents({ human_input: input.message }, settings)) {
        yield event;
      }
    }),
  });
  const wss = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(wss, "listening");
  applyWSSHandler({ wss, router });
  return { url: `ws://127.0.0.1:${(wss.address() as AddressInfo).port}` };
};
