/** What was said in a conversation before a run, as far as its bot's memory can hold it. */
import type { Bot } from "../../bots/bot.ts";
import type { HistoryEntry, Run, Store } from "../../store/store.ts";

/** No text of more bytes is taken for a token less (bots/memory.ts): what is beyond it never fits. */
const maxBytesPerToken = 4;

/** @throws LangwireError STORE_UNAVAILABLE */
export async function botHistory(
  { conversationId, firstSeq }: Run,
  { memory, inputSchema }: Bot,
  store: Pick<Store, "conversations">,
): Promise<HistoryEntry[]> {
  const isFirstRun = firstSeq === 1;
  if (isFirstRun || memory === false || memory.k === 0) return [];
  // It is given what was sent, and nothing besides.
  if (inputSchema !== undefined) return [];
  const maxBytes = memory.contextTokens * maxBytesPerToken;
  return store.conversations.history(conversationId, { exchanges: memory.k, maxBytes });
}
