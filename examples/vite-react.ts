/**
 * A React application on Langwire: a chat with `useChat`, and beside it TanStack Query through tRPC's
 * own integration. Vite serves the application; its API calls go to a Langwire server beside it.
 *
 *   npm i langwire langwire-client @langchain/core @tanstack/react-query @trpc/client \
 *     @trpc/tanstack-react-query react react-dom superjson vite
 *   node vite-react.ts
 */
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { chatBot, createModel, createServer, openLangwire } from "langwire";
import { createServer as createViteServer } from "vite";

const model = await createModel({
  model: process.env.MODEL ?? "openai:gpt-4.1-mini",
  openaiApiKey: process.env.OPENAI_API_KEY,
});
const langwire = await openLangwire({ bots: [chatBot({ model })] });
const api = await createServer({ langwire });
await api.app.listen({ host: "127.0.0.1", port: 0 });
const { port } = api.app.server.address() as AddressInfo;

// In a checkout, beside the packages' sources: `npm run example` says so to Node.js.
const conditions = process.execArgv.includes("--conditions=langwire-source")
  ? { resolve: { conditions: ["langwire-source", "module", "browser", "development|production"] } }
  : {};
const vite = await createViteServer({
  root: fileURLToPath(new URL("vite-react", import.meta.url)),
  logLevel: "warn",
  ...conditions,
  server: {
    host: "127.0.0.1",
    port: Number(process.env.PORT ?? 5173),
    proxy: { "/trpc": { target: `http://127.0.0.1:${port}`, ws: true } },
  },
});
await vite.listen();
console.log("open", vite.resolvedUrls?.local[0]);

process.once("SIGTERM", stop).once("SIGINT", stop);

async function stop(): Promise<void> {
  await vite.close();
  await api.close(0);
  await langwire[Symbol.asyncDispose]();
}
