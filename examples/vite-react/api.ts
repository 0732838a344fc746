/** tRPC's own integration with TanStack Query. The router's type is all that it needs. */
import { QueryClient } from "@tanstack/react-query";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import type { AppRouter } from "langwire-client";
import superjson from "superjson";

const socket = createWSClient({
  url: new URL("/trpc", window.location.href).href.replace(/^http/, "ws"),
  // Who is calling; a server with authentication takes `token` instead.
  connectionParams: { userId: "local" },
  // Without it, a connection that dies without a word is never noticed.
  keepAlive: { enabled: true },
});

export const queryClient = new QueryClient();

export const trpc = createTRPCOptionsProxy<AppRouter>({
  client: createTRPCClient<AppRouter>({
    links: [wsLink({ client: socket, transformer: superjson })],
  }),
  queryClient,
});
