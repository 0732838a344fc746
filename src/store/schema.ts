/** The tables as Kysely sees them; `migrations.ts` makes them. */
import { type RawBuilder, sql } from "kysely";
import type { RunStatus } from "../protocol/events.ts";

export interface Schema {
  conversations: ConversationTable;
  /** Owners are members too. In place and without a name, so that declarations need none for it. */
  members: { conversation_id: string; user_id: string };
  runs: RunTable;
  messages: MessageView;
}

export interface ConversationTable {
  conversation_id: string;
  bot_id: string;
  owner_id: string;
  title: string;
  /** 1 or 0. */
  shared: number;
  created_at: string;
  updated_at: string;
  /** Set on the tombstone of a deleted conversation, which keeps its id from being used again. */
  deleted_at: string | null;
}

export interface RunTable {
  run_id: string;
  conversation_id: string;
  bot_id: string;
  user_id: string;
  message: string;
  status: "running" | RunStatus;
  first_seq: number;
  started_at: string;
  /** The process that works on it, where there are several. */
  owner: string | null;
  /** Null as long as the run is running, as is all that follows. */
  end_seq: number | null;
  ended_at: string | null;
  text: string | null;
  /** JSON. */
  usage: string | null;
  /** JSON. */
  error: string | null;
  provider_calls: number | null;
}

/**
 * A view of the runs: an exchange is one row there, and two messages here. A message's position is
 * the number of the event that brought it, so positions ascend and no counter is needed.
 */
export interface MessageView {
  conversation_id: string;
  position: number;
  run_id: string;
  role: "human" | "ai";
  text: string;
  user_id: string | null;
  at: string;
  status: RunStatus | null;
  usage: string | null;
  error: string | null;
}

/** As a literal: a partial index serves only queries that name its condition in their text. */
export const running: RawBuilder<"running"> = sql.lit("running");
