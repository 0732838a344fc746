/** socket.io: each token emitted to its caller, or to a room. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import type { StartServer } from "./bench-server.ts";
import { TokenHandler } from "./callbacks.ts";
import { createChain } from "./chain.ts";

export const start: StartServer = async (options) => {
  const chain = await createChain(options);
  const http = createServer();
  const io = new Server(http);
  io.on("connection", (socket) => {
    socket.on("watch", (room: string) => socket.join(room));
    socket.on("message", async ({ id, message, room }) => {
      const emit = (name: string, ...values: unknown[]): void => {
        socket.emit(name, id, ...values);
        if (room !== undefined) io.to(room).emit(name, "room", ...values);
      };
      const handler = new TokenHandler((text) => emit("token", text));
      try {
        await chain.invoke({ human_input: message }, { callbacks: [handler] });
        emit("end");
      } catch (error) {
        emit("failed", String(error));
      }
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return { url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}` };
};
