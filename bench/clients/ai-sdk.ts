import { randomUUID } from "node:crypto";
import type { Connect } from "./client.ts";
import { SsePoster } from "./sse.ts";

export const connect: Connect = async (url) => {
  const poster = new SsePoster();
  return {
    send: (message, onText) => {
      const parts = [{ type: "text", text: message }];
      const messages = [{ id: randomUUID(), role: "user", parts }];
      return poster.post(url, { messages }, (data) => {
        if (data === "[DONE]") return;
        const part = JSON.parse(data);
        if (part.type === "text-delta") onText(part.delta);
        else if (part.type === "error") throw new Error(part.errorText);
      });
    },
    pause: () => poster.pause(),
    resume: () => poster.resume(),
    close: () => poster.close(),
  };
};
