/** From rows to what callers get: camel case, JSON read, null as absent. */
import type { Selectable } from "kysely";
import type { Conversation, Message } from "../protocol/conversations.ts";
import type { Failure } from "../protocol/errors.ts";
import type { Usage } from "../protocol/events.ts";
import type { ConversationTable, MessageView, RunTable } from "./schema.ts";
import type { Run } from "./store.ts";

export type ConversationRow = Selectable<ConversationTable> & { running_run_id: string | null };

export function toConversation(row: ConversationRow, userId: string): Conversation {
  return {
    conversationId: row.conversation_id,
    botId: row.bot_id,
    title: row.title,
    owned: row.owner_id === userId,
    shared: row.shared === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.running_run_id !== null && { runningRunId: row.running_run_id }),
  };
}

export function toRun(row: Selectable<RunTable>): Run {
  return {
    runId: row.run_id,
    conversationId: row.conversation_id,
    botId: row.bot_id,
    userId: row.user_id,
    message: row.message,
    status: row.status,
    firstSeq: row.first_seq,
    startedAt: row.started_at,
    ...(row.owner !== null && { owner: row.owner }),
    ...(row.end_seq !== null && { endSeq: row.end_seq }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.text !== null && { text: row.text }),
    ...toOutcome(row),
    ...(row.provider_calls !== null && { providerCalls: row.provider_calls }),
  };
}

export function toMessage(row: Selectable<MessageView>): Message {
  return {
    position: row.position,
    runId: row.run_id,
    role: row.role,
    text: row.text,
    // Empty: the run of a user who was deleted.
    ...(row.user_id !== null && row.user_id !== "" && { userId: row.user_id }),
    at: row.at,
    ...(row.status !== null && { status: row.status }),
    ...toOutcome(row),
  };
}

function toOutcome(row: { usage: string | null; error: string | null }): {
  usage?: Usage;
  error?: Failure;
} {
  return {
    ...(row.usage !== null && { usage: JSON.parse(row.usage) as Usage }),
    ...(row.error !== null && { error: JSON.parse(row.error) as Failure }),
  };
}
