import { randomUUID } from "node:crypto";
import type { Connect } from "./client.ts";
import { openTrpc } from "./trpc.ts";

interface Tracked {
  readonly id: string;
  readonly data: { type: string; text: string; status?: string; runId: string };
}

export const connect: Connect = async (url, options) => {
  const { socket, subscribe, mutate } = await openTrpc(url, options);
  /** Hands on the tokens, and holds them against the text that the run's end carries. */
  function reader(onText: (piece: string) => void, onEnd: () => void) {
    let streamed = "";
    return ({ data: { type, text, status } }: Tracked) => {
      if (type === "token") {
        streamed += text;
        onText(text);
      }
      if (type !== "runEnd") return undefined;
      if (status !== "completed" || text !== streamed) {
        throw new Error(
          `runEnd does not fit the tokens: ${status} ${text.length} ${streamed.length}`,
        );
      }
      streamed = "";
      onEnd();
      return undefined;
    };
  }
  return {
    send: (message, onText, room = randomUUID()) => {
      const input = { runId: randomUUID(), conversationId: room, botId: "chat", message };
      return subscribe(
        "chat.send",
        input,
        reader(onText, () => {}),
      );
    },
    createRoom: (room) => mutate("conversations.create", { conversationId: room, botId: "chat" }),
    watch: async (room, onText, onEnd) => {
      const started = subscribe("chat.watch", { conversationId: room }, reader(onText, onEnd));
      started.catch(() => {});
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.close(),
  };
};
