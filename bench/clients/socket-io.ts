/** Engine.IO 4 and Socket.IO 5 over a WebSocket: `4` is a message, `42` an event as a JSON array. */
import { Answers } from "./answers.ts";
import type { Connect } from "./client.ts";
import { openSocket } from "./socket.ts";

export const connect: Connect = async (url) => {
  const socket = await openSocket(`${url}/socket.io/?EIO=4&transport=websocket`);
  const answers = new Answers<number>();
  const connected = Promise.withResolvers<void>();
  let watching: { onText: (piece: string) => void; onEnd: () => void } | undefined;
  let lastId = 0;
  socket.onMessage = (text) => {
    if (text === "2") return socket.send("3");
    if (text.startsWith("40")) connected.resolve();
    if (!text.startsWith("42")) return;
    const [name, id, value] = JSON.parse(text.slice(2));
    if (id === "room") {
      if (name === "token") watching?.onText(value);
      else watching?.onEnd();
      return;
    }
    const answer = answers.get(id);
    if (name === "token") answer?.onText(value);
    else if (name === "end") answer?.end();
    else answer?.fail(new Error(value));
  };
  socket.send("40");
  await Promise.race([connected.promise, socket.closed]);
  const emit = (...event: unknown[]): void => socket.send(`42${JSON.stringify(event)}`);
  return {
    send: (message, onText, room) => {
      const id = ++lastId;
      emit("message", { id, message, room });
      return answers.wait(id, onText, socket.closed);
    },
    watch: async (room, onText, onEnd) => {
      watching = { onText, onEnd };
      emit("watch", room);
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.close(),
  };
};
