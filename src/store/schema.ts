/** The tables as Kysely sees them; `migrations.ts` makes them. */
import { type RawBuilder, sql } from "kysely";
import type { RunStatus } from "../protocol/events.ts";

export interface Schema {
  conversations: ConversationTable;
  /** Owners are members too. In place and without a name, so that declarations need none for it. */
  members: { conversation_id: string; user_id: string };
  runs: RunTable;
  run_messages: RunMessageTable;
  run_archives: RunArchiveTable;
  /** Deleted conversations of which there may still be runs: queries/deletions.ts. */
  pending_deletions: { conversation_id: string };
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
  /**
   * Set on the tombstone of a deleted conversation, which keeps its id from being used again. Its runs
   * are deleted after it: whoever reads runs without asking for a membership asks for this (`isKept`).
   */
  deleted_at: string | null;
}

export interface RunTable {
  run_id: string;
  conversation_id: string;
  bot_id: string;
  user_id: string;
  /** Of a typed bot's input, its JSON. */
  message: string;
  status: "running" | RunStatus;
  first_seq: number;
  started_at: string;
  /** The process that works on it, where there are several. */
  owner: string | null;
  /** JSON: what a typed bot was given. */
  input: string | null;
  /** Null as long as the run is running, as is all that follows. */
  end_seq: number | null;
  ended_at: string | null;
  text: string | null;
  /** JSON: what a typed bot answered. Null where it did not. */
  output: string | null;
  /** JSON. */
  usage: string | null;
  /** JSON. */
  error: string | null;
  provider_calls: number | null;
}

/**
 * What a run's two messages have besides what its row says: the row has their texts, and their positions,
 * which are the numbers of the events that brought them. There is a row only where there is something: most
 * messages follow the one before and are their text alone, and each row costs a run's start or end two
 * pages of a commit. Processes of the version before write none.
 */
export interface RunMessageTable {
  run_id: string;
  role: "human" | "ai";
  /** The id of the message that it follows (`messageIdOf`); null where that is the one before it. */
  parent_id: string | null;
  /** As stored-parts.ts writes them. Null where they are the row's text alone, or what the run was given. */
  parts: string | null;
  /** JSON: LangChain's messages of the exchange, for the bot's memory alone. */
  model_messages: string | null;
}

/** The events of runs that have ended, compressed. */
export interface RunArchiveTable {
  run_id: string;
  /** 0, 1, 2 …: a run may be archived in pieces. */
  segment: number;
  first_seq: number;
  last_seq: number;
  /** Before they were compressed. */
  raw_bytes: number;
  ended_at: string;
  events: Uint8Array;
}

/** `raw_bytes` of a row that keeps its run's archive from being stored. */
export const noArchiveBytes = -1;

/** As a literal: a partial index serves only queries that name its condition in their text. */
export const running: RawBuilder<"running"> = sql.lit("running");
