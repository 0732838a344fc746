/** From rows to what callers get: camel case, JSON read, null as absent. */
import type { Selectable } from "kysely";
import type { Conversation, Message } from "../protocol/conversations.ts";
import type { Failure } from "../protocol/errors.ts";
import type { Json, Usage } from "../protocol/events.ts";
import { decodeParts, questionParts } from "./queries/messages/stored-parts.ts";
import type { ConversationTable, RunTable } from "./schema.ts";
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
    ...(row.input !== null && { input: JSON.parse(row.input) as Json }),
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

/** A run for its messages. `text` and `output` are null where only its first message was read. */
export type ExchangeRow = Omit<
  Selectable<RunTable>,
  "conversation_id" | "bot_id" | "owner" | "provider_calls"
> & {
  parts: string | null;
  question_parent_id: string | null;
  answer_parent_id: string | null;
};

export function messageIdOf(runId: string, role: Message["role"]): string {
  return `${runId}/${role}`;
}

/** What was asked and, where it was read, what was answered. */
export function toMessages(row: ExchangeRow): Message[] {
  const question = toQuestion(row);
  const { run_id: runId, status, text, end_seq: position, ended_at: at, answer_parent_id } = row;
  if (status === "running" || text === null || position === null || at === null) return [question];
  const role = "ai";
  const answer: Message = {
    messageId: messageIdOf(runId, role),
    parentId: answer_parent_id ?? messageIdOf(runId, "human"),
    ...{ position, runId, role, text, at, status },
    parts: decodeParts(row.parts, text),
    ...toOutcome(row),
  };
  return [question, answer];
}

function toQuestion(row: ExchangeRow): Message {
  const { run_id: runId, first_seq: position, message: text, started_at: at } = row;
  const role = "human";
  return {
    messageId: messageIdOf(runId, role),
    ...(row.question_parent_id !== null && { parentId: row.question_parent_id }),
    ...{ position, runId, role, text, at },
    parts: questionParts(text, row.input === null ? undefined : (JSON.parse(row.input) as Json)),
    // Empty: the run of a user who was deleted.
    ...(row.user_id !== "" && { userId: row.user_id }),
  };
}

function toOutcome(row: { output: string | null; usage: string | null; error: string | null }): {
  output?: Json;
  usage?: Usage;
  error?: Failure;
} {
  return {
    ...(row.output !== null && { output: JSON.parse(row.output) as Json }),
    ...(row.usage !== null && { usage: JSON.parse(row.usage) as Usage }),
    ...(row.error !== null && { error: JSON.parse(row.error) as Failure }),
  };
}
