/** Speaks to servers/raw-ws.ts: JSON, one object a message. */
import { Answers } from "./answers.ts";
import type { Connect } from "./client.ts";
import { openSocket } from "./socket.ts";

export const connect: Connect = async (url) => {
  const socket = await openSocket(url);
  const answers = new Answers<number>();
  let watching: { onText: (piece: string) => void; onEnd: () => void } | undefined;
  let lastId = 0;
  socket.onMessage = (text) => {
    const { id, type, ...rest } = JSON.parse(text);
    if (id === "room") {
      if (type === "token") watching?.onText(rest.text);
      else watching?.onEnd();
      return;
    }
    const answer = answers.get(id);
    if (type === "token") answer?.onText(rest.text);
    else if (type === "end") answer?.end();
    else answer?.fail(new Error(rest.message));
  };
  return {
    send: (message, onText, room) => {
      const id = ++lastId;
      socket.send(JSON.stringify({ id, message, room }));
      return answers.wait(id, onText, socket.closed);
    },
    watch: async (room, onText, onEnd) => {
      watching = { onText, onEnd };
      socket.send(JSON.stringify({ watch: room }));
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.close(),
  };
};
