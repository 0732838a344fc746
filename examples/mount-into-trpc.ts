/**
 * Langwire inside a tRPC application of your own: your context, your procedures, your server.
 *
 *   npm i langwire @langchain/core @trpc/server superjson ws
 *   node mount-into-trpc.ts
 */
import { initTRPC, TRPCError } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { chatBot, createChatRouter, createModel, formatError, openLangwire } from "langwire";
import superjson from "superjson";
import { WebSocketServer } from "ws";

const model = await createModel({
  model: process.env.MODEL ?? "openai:gpt-4.1-mini",
  openaiApiKey: process.env.OPENAI_API_KEY,
});
const langwire = await openLangwire({ bots: [chatBot({ model })], dataDir: "./data" });

interface AppContext {
  readonly session: { readonly email: string } | undefined;
}

const t = initTRPC.context<AppContext>().create({
  transformer: superjson,
  errorFormatter: formatError,
});

const appRouter = t.router({
  greet: t.procedure.query(({ ctx }) => `Hello, ${ctx.session?.email ?? "stranger"}`),
  ai: createChatRouter({
    ...langwire,
    connection: ({ session }: AppContext) => {
      if (session === undefined) throw new TRPCError({ code: "UNAUTHORIZED" });
      return { caller: { userId: session.email } };
    },
  }),
});

/** What your frontend imports, as a type. */
export type AppRouter = typeof appRouter;

const wss = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT ?? 3001) });
applyWSSHandler({
  wss,
  router: appRouter,
  // Check a cookie or a token here, as in any tRPC application.
  createContext: ({ info }): AppContext => {
    const email = info.connectionParams?.email;
    return { session: email === undefined ? undefined : { email } };
  },
});
wss.on("listening", () => console.log("listening", wss.address()));

process.once("SIGTERM", async () => {
  for (const client of wss.clients) client.close();
  wss.close();
  await langwire[Symbol.asyncDispose]();
});
