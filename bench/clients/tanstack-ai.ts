import { randomUUID } from "node:crypto";
import { Answers } from "./answers.ts";
import type { Connect } from "./client.ts";
import { openSocket } from "./socket.ts";

export const connect: Connect = async (url) => {
  const socket = await openSocket(url);
  const answers = new Answers<string>();
  socket.onMessage = (text) => {
    const { chunk } = JSON.parse(text);
    if (chunk === undefined) return;
    const answer = answers.get(chunk.runId ?? chunk.messageId);
    switch (chunk.type) {
      case "TEXT_MESSAGE_CONTENT":
        answer?.onText(chunk.delta);
        break;
      case "RUN_FINISHED":
        answer?.end();
        break;
      case "RUN_ERROR":
        answer?.fail(new Error(text));
    }
  };
  return {
    send: (message, onText) => {
      const runId = randomUUID();
      const messages = [{ id: randomUUID(), role: "user", content: message }];
      const input = { threadId: randomUUID(), runId, state: {}, messages, tools: [], context: [] };
      socket.send(JSON.stringify({ ...input, forwardedProps: {} }));
      return answers.wait(runId, onText, socket.closed);
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.close(),
  };
};
