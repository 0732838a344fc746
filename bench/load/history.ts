/** A conversation with an agent that called tools in each answer, and pages of its messages. */
import { randomUUID } from "node:crypto";
import { openTrpc } from "../clients/trpc.ts";
import { wish } from "./answers.ts";

const user = { userId: "reader" };
const wanted = { kind: "tools", tokens: 100 } as const;

interface Page {
  readonly items: readonly { readonly parts?: readonly { readonly type: string }[] }[];
}

export const historyCommands = {
  makeConversation: async ({ url, runs }: { url: string; runs: number }) => {
    const conversationId = randomUUID();
    const { subscribe, socket } = await openTrpc(url, user);
    for (let run = 0; run < runs; run++) {
      const input = { runId: randomUUID(), conversationId, botId: "agent", message: wish(wanted) };
      await subscribe("chat.send", input, () => undefined);
    }
    socket.close();
    return conversationId;
  },
  /** @returns ms of each page, from asking to having read it */
  readPages: async ({ url, conversationId, limit, times }: PagesWanted) => {
    const { query, socket } = await openTrpc(url, user);
    const tookMs: number[] = [];
    for (let index = 0; index < times; index++) {
      const askedAtMs = performance.now();
      const page = (await query("conversations.messages", { conversationId, limit })) as Page;
      tookMs.push(performance.now() - askedAtMs);
      const tools = page.items.flatMap(({ parts = [] }) =>
        parts.filter(({ type }) => type === "tool"),
      );
      if (page.items.length !== limit || tools.length < limit) {
        throw new Error(`a page of ${page.items.length} messages with ${tools.length} tools`);
      }
    }
    socket.close();
    return tookMs;
  },
};

interface PagesWanted {
  readonly url: string;
  readonly conversationId: string;
  readonly limit: number;
  readonly times: number;
}
