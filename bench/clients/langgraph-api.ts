import type { Connect } from "./client.ts";
import { SsePoster } from "./sse.ts";

export const connect: Connect = async (url) => {
  const poster = new SsePoster();
  return {
    send: (message, onText) => {
      const body = {
        assistant_id: "chat",
        input: { messages: [{ role: "human", content: message }] },
        stream_mode: "messages-tuple",
      };
      return poster.post(`${url}/runs/stream`, body, (data, event) => {
        if (event === "error") throw new Error(data);
        if (event !== "messages") return;
        const [chunk] = JSON.parse(data);
        if (chunk.type === "ai") onText(chunk.content);
      });
    },
    pause: () => poster.pause(),
    resume: () => poster.resume(),
    close: () => poster.close(),
  };
};
