/**
 * A database as the version before messages had rows of their own left it, and a process of that version:
 * the statements that it sent, word for word. (Migrations are never changed, but this does not count on it.)
 */
import { randomUUID } from "node:crypto";

/** Both engines took the same words. */
export const tablesBefore: readonly string[] = [
  `create table "conversations" ("conversation_id" text not null primary key, "bot_id" text not null,
    "owner_id" text not null, "title" text not null, "shared" integer default 0 not null,
    "created_at" text not null, "updated_at" text not null, "deleted_at" text)`,
  `create table "members" (
    "conversation_id" text not null references "conversations" ("conversation_id"),
    "user_id" text not null,
    constraint "members_pkey" primary key ("conversation_id", "user_id"))`,
  `create index "members_user" on "members" ("user_id")`,
  `create table "runs" ("run_id" text not null primary key,
    "conversation_id" text not null references "conversations" ("conversation_id"),
    "bot_id" text not null, "user_id" text not null, "message" text not null, "status" text not null,
    "first_seq" bigint not null, "started_at" text not null, "end_seq" bigint, "ended_at" text,
    "text" text, "usage" text, "error" text, "provider_calls" integer,
    constraint "runs_status" check (status in ('running', 'completed', 'cancelled', 'failed')),
    constraint "runs_ended" check ((status = 'running') = (end_seq is null)
              and (end_seq is null or end_seq > first_seq)
              and (end_seq is null) = (ended_at is null)
              and (end_seq is null) = (text is null)))`,
  `create unique index "runs_one_running" on "runs" ("conversation_id") where "status" = 'running'`,
  `create unique index "runs_first_seq" on "runs" ("conversation_id", "first_seq")`,
  `create unique index "runs_end_seq" on "runs" ("conversation_id", "end_seq")`,
  `create view messages as
        select conversation_id, first_seq as position, run_id, cast('human' as text) as role,
          message as text, user_id, started_at as at, cast(null as text) as status,
          cast(null as text) as usage, cast(null as text) as error
        from runs
        union all
        select conversation_id, end_seq, run_id, cast('ai' as text), text, cast(null as text),
          ended_at, status, usage, error
        from runs where status <> 'running'`,
  `alter table "runs" add column "owner" text`,
  `create index "runs_running_owner" on "runs" ("owner") where "status" = 'running'`,
];

/** @param prefix of the tables' names: on Postgres they had one of their own */
export function migrationsBefore(prefix: "kysely" | "langwire"): readonly string[] {
  return [
    `create table ${prefix}_migration
      (name varchar(255) not null primary key, timestamp varchar(255) not null)`,
    `create table ${prefix}_migration_lock
      (id varchar(255) not null primary key, is_locked integer default 0 not null)`,
    `insert into ${prefix}_migration_lock values ('migration_lock', 0)`,
    `insert into ${prefix}_migration values
      ('0001-conversations-members-runs', '2026-11-28T17:13:38.011Z'),
      ('0002-run-owner', '2026-11-28T17:13:38.015Z')`,
  ];
}

export type Query = (text: string, values: readonly (string | number | null)[]) => Promise<Row[]>;
type Row = Record<string, unknown>;

/** A process of the version before, at work on a database that may be of this one by now. */
export class ProcessBefore {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  /** @returns the run's id */
  async claim(conversationId: string, message: string): Promise<string> {
    const [runId, at, id] = [randomUUID(), new Date().toISOString(), conversationId];
    await this.#query("begin", []);
    const touched = await this.#query(
      'update "conversations" set "updated_at" = $1 where "conversation_id" = $2 and "deleted_at" is null returning *',
      [at, id],
    );
    if (touched.length === 0) {
      await this.#query(
        'insert into "conversations" ("conversation_id", "bot_id", "owner_id", "title", "shared", "created_at", "updated_at") values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning *',
        [id, "chat", "alice", message, 0, at, at],
      );
      await this.#query('insert into "members" ("conversation_id", "user_id") values ($1, $2)', [
        id,
        "alice",
      ]);
    }
    const inserted = await this.#query(
      `insert into "runs" ("run_id", "conversation_id", "bot_id", "user_id", "message", "status", "started_at", "owner", "first_seq") select $1 as "run_id", "m"."conversation_id", $2 as "bot_id", "m"."user_id", $3 as "message", 'running' as "status", $4 as "started_at", $5 as "owner", (select coalesce(max("end_seq"), 0) + 1 as "next" from "runs" where "conversation_id" = $6) as "first_seq" from "members" as "m" where "m"."conversation_id" = $7 and "m"."user_id" = $8 and not exists (select "run_id" from "runs" where "conversation_id" = $9 and "status" = 'running') on conflict do nothing returning *`,
      [runId, "chat", message, at, null, id, id, "alice", id],
    );
    await this.#query("commit", []);
    if (inserted.length === 0) throw new Error("It was not claimed.");
    return runId;
  }

  async finish(runId: string, text: string): Promise<void> {
    const [run] = await this.#query('select "first_seq" from "runs" where "run_id" = $1', [runId]);
    const ended = await this.#query(
      `update "runs" set "status" = $1, "text" = $2, "usage" = $3, "error" = $4, "end_seq" = $5, "ended_at" = $6, "provider_calls" = $7 where "run_id" = $8 and "status" = 'running' returning *`,
      [
        "completed",
        text,
        null,
        null,
        Number(run?.first_seq) + 9,
        new Date().toISOString(),
        1,
        runId,
      ],
    );
    if (ended.length === 0) throw new Error("It had ended.");
  }

  /** Texts, in their order. */
  async messages(conversationId: string): Promise<unknown[]> {
    const rows = await this.#query(
      'select * from "messages" where "conversation_id" = $1 and "position" >= $2 and "position" <= $3 order by "position"',
      [conversationId, 1, 1_000_000],
    );
    return rows.map(({ text }) => text);
  }

  async delete(conversationId: string): Promise<void> {
    const id = conversationId;
    await this.#query("begin", []);
    await this.#query(
      'update "conversations" set "deleted_at" = $1, "owner_id" = $2, "title" = $3, "shared" = $4 where "conversation_id" = $5 and "owner_id" = $6 and "deleted_at" is null returning "conversation_id"',
      [new Date().toISOString(), "", "", 0, id, "alice"],
    );
    await this.#query('delete from "runs" where "conversation_id" = $1', [id]);
    await this.#query('delete from "members" where "conversation_id" = $1 returning "user_id"', [
      id,
    ]);
    await this.#query("commit", []);
  }

  async redact(runId: string): Promise<void> {
    await this.#query(
      'update "runs" set "user_id" = $1, "message" = $2, "text" = $3 where "run_id" = $4',
      ["", "", "", runId],
    );
  }
}
