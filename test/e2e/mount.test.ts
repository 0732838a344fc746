import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { initTRPC, TRPCError } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import superjson from "superjson";
import { expect, expectTypeOf, test } from "vitest";
import { WebSocketServer } from "ws";
import { z } from "zod";
import { type ChatEvent, createChatRouter, formatError, openLangwire } from "../../src/index.ts";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { scriptedModel } from "../../src/testing/index.ts";
import { read } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";

/** An application of somebody else's: its own context, its own procedures, stock adapters. */
async function startForeignApp() {
  const stack = new AsyncDisposableStack();
  const model = scriptedModel([{ tokens: ["Hel", "lo"] }]);
  const langwire = stack.use(await openLangwire({ bots: [chatBot({ model })] }));

  interface AppContext {
    readonly session: { readonly email: string } | undefined;
  }
  const t = initTRPC.context<AppContext>().create({
    transformer: superjson,
    errorFormatter: formatError,
  });
  const router = t.router({
    greet: t.procedure.input(z.object({ name: z.string() })).query(({ input }) => ({
      greeting: `Hello, ${input.name}`,
      at: new Date(0),
    })),
    ai: createChatRouter({
      ...langwire,
      connection: ({ session }: AppContext) => {
        if (session === undefined) throw new TRPCError({ code: "UNAUTHORIZED" });
        return { caller: { userId: session.email } };
      },
    }),
  });

  const wss = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  stack.defer(() => {
    for (const client of wss.clients) client.terminate();
    wss.close();
  });
  await once(wss, "listening");
  applyWSSHandler({
    wss,
    router,
    createContext: ({ info }): AppContext => {
      const email = info.connectionParams?.email;
      return { session: email === undefined ? undefined : { email } };
    },
  });
  const { port } = wss.address() as AddressInfo;
  const connect = (connectionParams?: Record<string, string>) => {
    const client = createWSClient({ url: `ws://127.0.0.1:${port}`, connectionParams });
    stack.defer(() => client.close());
    return createTRPCClient<typeof router>({
      links: [wsLink({ client, transformer: superjson })],
    });
  };
  return { connect, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test("the router mounts into somebody else's, and both sides' types infer", async () => {
  await using app = await startForeignApp();
  const client = app.connect({ email: "ann@example.com" });

  const greeted = await client.greet.query({ name: "Ann" });
  expectTypeOf(greeted).toEqualTypeOf<{ greeting: string; at: Date }>();
  expect(greeted).toEqual({ greeting: "Hello, Ann", at: new Date(0) });

  const run = { runId: randomUUID(), botId: "chat", conversationId: randomUUID(), message: "hi" };
  const received = await read((options) =>
    client.ai.chat.send.subscribe(run, {
      ...options,
      onData: (value) => {
        expectTypeOf(value.data).toEqualTypeOf<ChatEvent>();
        options.onData(value);
      },
    }),
  ).completed;
  expect(received[0]?.event).toMatchObject({ type: "runStart", userId: "ann@example.com" });
  expect(expectWholeRun(received).text).toBe("Hello");
});

test("the outer application's own refusals and ours both reach the caller", async () => {
  await using app = await startForeignApp();
  await expect(app.connect({}).ai.conversations.list.query({})).rejects.toMatchObject({
    data: { code: "UNAUTHORIZED", langwire: { code: "UNAUTHORIZED" } },
  });
  const client = app.connect({ email: "ann@example.com" });
  await expect(
    client.ai.conversations.get.query({ conversationId: randomUUID() }),
  ).rejects.toMatchObject({ data: { code: "NOT_FOUND", langwire: { code: "NOT_FOUND" } } });
});
