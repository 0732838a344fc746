/**
 * The keys under which LangChain's own documentation looks for a conversation and its user in
 * `config.configurable`: checkpointers (`thread_id`), `RunnableWithMessageHistory` (`sessionId`),
 * what was carried over from Python (`session_id`), tools and stores that keep things by user.
 */
import type { BotContext } from "../bot.ts";

export function configurableOf({ conversationId, userId }: BotContext): Record<string, string> {
  return {
    thread_id: conversationId,
    sessionId: conversationId,
    session_id: conversationId,
    userId,
    user_id: userId,
  };
}
