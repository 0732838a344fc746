/**
 * A user whose message is worked on by one node and whose answer is read at the next: whoever sent it
 * leaves as soon as it is under way, so that each run has one reader, and that one is on another node.
 * `url` is those of all nodes, with blanks between them; of one node alone both are there.
 */
import { randomUUID } from "node:crypto";
import type { Connect } from "./client.ts";
import { openTrpc } from "./trpc.ts";

interface Tracked {
  readonly data: { readonly type: string; readonly text: string; readonly status?: string };
}

let users = 0;

export const connect: Connect = async (urls, options) => {
  const nodes = urls.split(" ");
  const place = users++;
  const urlAt = (index: number): string => nodes[index % nodes.length] ?? urls;
  const [sender, reader] = [
    await openTrpc(urlAt(place), options),
    await openTrpc(urlAt(place + 1), options),
  ];
  return {
    send: async (message, onText) => {
      const conversationId = randomUUID();
      await sender.mutate("conversations.create", { conversationId, botId: "chat" });
      const read = reader.subscribe("chat.watch", { conversationId }, ({ data }: Tracked) => {
        if (data.type === "token") onText(data.text);
        return data.type === "runEnd" ? "done" : undefined;
      });
      const input = { runId: randomUUID(), conversationId, botId: "chat", message };
      await sender.subscribe("chat.send", input, () => "done");
      await read;
    },
    close: () => {
      sender.socket.close();
      reader.socket.close();
    },
  };
};
