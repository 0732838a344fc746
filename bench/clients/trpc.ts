/** tRPC's protocol over a WebSocket, as a stock `wsLink` with superjson speaks it. */
import { tokenFor } from "../parts/token.ts";
import { Answers } from "./answers.ts";
import type { ConnectOptions } from "./client.ts";
import { openSocket, type TextSocket } from "./socket.ts";

export interface TrpcSocket {
  mutate(path: string, input: unknown): Promise<void>;
  readonly socket: TextSocket;
  /** @returns settles when the subscription completes, or when `onData` says that it has all */
  subscribe(
    path: string,
    input: unknown,
    onData: (data: never) => "done" | undefined,
  ): Promise<void>;
}

export async function openTrpc(url: string, { userId }: ConnectOptions): Promise<TrpcSocket> {
  const socket = await openSocket(`${url}?connectionParams=1`);
  socket.send(JSON.stringify({ method: "connectionParams", data: { token: tokenFor(userId) } }));
  const answers = new Answers<number>();
  const handlers = new Map<number, (data: never) => "done" | undefined>();
  let lastId = 0;
  socket.onMessage = (text) => {
    if (text === "PING") return socket.send("PONG");
    const { id, result, error } = JSON.parse(text);
    const answer = answers.get(id);
    if (error !== undefined) answer?.fail(new Error(text));
    else if (result?.type === "stopped") answer?.end();
    else if (result?.type === "data" && handlers.get(id)?.(result.data.json as never) === "done") {
      answer?.end();
    }
  };
  return {
    socket,
    mutate: (path, input) => {
      const id = ++lastId;
      handlers.set(id, () => "done");
      const params = { path, input: { json: input } };
      socket.send(JSON.stringify({ id, method: "mutation", params }));
      return answers.wait(id, () => {}, socket.closed).finally(() => handlers.delete(id));
    },
    subscribe: async (path, input, onData) => {
      const id = ++lastId;
      handlers.set(id, onData);
      const params = { path, input: { json: input } };
      socket.send(JSON.stringify({ id, method: "subscription", params }));
      try {
        await answers.wait(id, () => {}, socket.closed);
      } finally {
        handlers.delete(id);
      }
    },
  };
}
