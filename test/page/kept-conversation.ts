/** A conversation as the server has kept it: questions, and answers with some Markdown. */
import { randomUUID } from "node:crypto";
import type { Store } from "../../src/store/store.ts";

const text = "A **short** answer with a [link](https://example.com).";

interface KeptConversation {
  readonly messages: number;
  /** What each answer has before its words. */
  readonly reasoning?: string;
}

/** @returns its id; its questions are `Question 0` and so on */
export async function keepConversation(
  { conversations, runs }: Store,
  { messages, reasoning }: KeptConversation,
): Promise<string> {
  const conversationId = randomUUID();
  const of = { conversationId, botId: "test", userId: "ann" };
  await conversations.create(of);
  const said = { type: "text", text, final: true } as const;
  const parts =
    reasoning === undefined
      ? [said]
      : [{ type: "reasoning", text: reasoning, spanId: "model" } as const, said];
  const endedAt = new Date().toISOString();
  for (let run = 0; run < messages / 2; run++) {
    const runId = randomUUID();
    await runs.claim({ ...of, runId, message: `Question ${run}` });
    await runs.finish({ runId, status: "completed", text, parts, endSeq: (run + 1) * 10, endedAt });
  }
  return conversationId;
}
