/** A `ws` server that sends each token from LangChain's callback, to its caller or to a room. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { StartServer } from "./bench-server.ts";
import { TokenHandler } from "./callbacks.ts";
import { createChain } from "./chain.ts";

export const start: StartServer = async (options) => {
  const chain = await createChain(options);
  const rooms = new Map<string, Set<WebSocket>>();
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");

  async function answer(socket: WebSocket, { id, message, room }: Record<string, string>) {
    const watchers = room === undefined ? undefined : rooms.get(room);
    const send = (what: object): void => {
      socket.send(JSON.stringify({ id, ...what }));
      if (watchers === undefined) return;
      const text = JSON.stringify({ id: "room", ...what });
      for (const watcher of watchers) watcher.send(text);
    };
    const handler = new TokenHandler((text) => send({ type: "token", text }));
    try {
      await chain.invoke({ human_input: String(message) }, { callbacks: [handler] });
      send({ type: "end" });
    } catch (error) {
      send({ type: "error", message: String(error) });
    }
  }

  server.on("connection", (socket) => {
    socket.on("error", () => socket.terminate());
    socket.on("message", (data) => {
      const request = JSON.parse(String(data));
      if (request.watch === undefined) {
        void answer(socket, request);
        return;
      }
      const room = rooms.get(request.watch) ?? new Set();
      rooms.set(request.watch, room.add(socket));
      socket.on("close", () => room.delete(socket));
    });
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
};
