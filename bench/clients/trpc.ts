/** tRPC's protocol over a WebSocket, as a stock `wsLink` with superjson speaks it. */
import { tokenFor } from "../parts/token.ts";
import { Answers } from "./answers.ts";
import type { ConnectOptions } from "./client.ts";
import { openSocket, type TextSocket } from "./socket.ts";

export interface TrpcSocket {
  /** Begins a subscription of which nothing is read. @returns settles when it has begun */
  begin(path: string, input: unknown): Promise<void>;
  query(path: string, input: unknown): Promise<unknown>;
  mutate(path: string, input: unknown): Promise<void>;
  readonly socket: TextSocket;
  /** @returns settles when the subscription completes, or when `onData` says that it has all */
  subscribe(
    path: string,
    input: unknown,
    onData: (data: never) => "done" | undefined,
  ): Promise<void>;
}

export async function openTrpc(
  url: string,
  { userId, timeoutMs }: ConnectOptions,
): Promise<TrpcSocket> {
  const socket = await openSocket(`${url}?connectionParams=1`, timeoutMs);
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
    else if (result?.type === "started" && handlers.get(id) === undefined) answer?.end();
    else if (result?.type === "data" && handlers.get(id)?.(result.data.json as never) === "done") {
      answer?.end();
    }
  };
  async function call(method: string, path: string, input: unknown): Promise<unknown> {
    const id = ++lastId;
    let answer: unknown;
    handlers.set(id, (data) => {
      answer = data;
      return "done";
    });
    const params = { path, input: { json: input } };
    socket.send(JSON.stringify({ id, method, params }));
    try {
      await answers.wait(id, () => {}, socket.closed);
    } finally {
      handlers.delete(id);
    }
    return answer;
  }
  return {
    socket,
    begin: (path, input) => {
      const id = ++lastId;
      const params = { path, input: { json: input } };
      socket.send(JSON.stringify({ id, method: "subscription", params }));
      return answers.wait(id, () => {}, socket.closed);
    },
    query: (path, input) => call("query", path, input),
    mutate: async (path, input) => {
      await call("mutation", path, input);
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
        // Of what the server has ended it takes no notice.
        socket.send(JSON.stringify({ id, method: "subscription.stop" }));
      }
    },
  };
}
