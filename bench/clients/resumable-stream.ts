/**
 * A user whose message is worked on by one node and whose answer is read at the next. `url` is those of all
 * nodes, with blanks between them.
 */
import { randomUUID } from "node:crypto";
import type { Connect } from "./client.ts";
import { SsePoster } from "./sse.ts";

let users = 0;

export const connect: Connect = async (urls) => {
  const nodes = urls.split(" ");
  const place = users++;
  const urlAt = (index: number): string => nodes[index % nodes.length] ?? urls;
  const [sender, reader] = [new SsePoster(), new SsePoster()];
  return {
    send: async (message, onText) => {
      const id = randomUUID();
      await sender.post(urlAt(place), { id, message }, () => {});
      await reader.get(`${urlAt(place + 1)}/${id}`, (data) => {
        if (data === "[DONE]") return;
        const part = JSON.parse(data);
        if (part.type === "text-delta") onText(part.delta);
        else if (part.type === "error") throw new Error(part.errorText);
      });
    },
    close: () => {
      sender.close();
      reader.close();
    },
  };
};
