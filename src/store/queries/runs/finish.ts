/**
 * Ending a run. The first statement's condition decides who ends it; what its ending has besides is
 * written in the same transaction, so whoever sees the run ended has all of it.
 */
import { type Kysely, sql } from "kysely";
import type { RunStatus } from "../../../protocol/events.ts";
import type { Engine } from "../../engine.ts";
import { messageIdOf, toRun } from "../../rows.ts";
import { running, type Schema } from "../../schema.ts";
import type { Ending, Finished } from "../../store.ts";
import { isKept } from "../conversation-queries.ts";
import { encodeParts } from "../messages/stored-parts.ts";
import { storable } from "../text.ts";

export class Endings {
  readonly #engine: Engine;
  readonly #endRun;
  readonly #insertAnswer;
  readonly #insertArchive;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#endRun = engine.prepare(endRun);
    this.#insertAnswer = engine.prepare(insertAnswer);
    this.#insertArchive = engine.prepare(insertArchive);
  }

  async finish(ending: Ending): Promise<Finished> {
    const { runId, status, endSeq, endedAt } = ending;
    const ended = await this.#engine.transaction((db) => this.#end(db, ending));
    if (ended !== undefined) return { finished: true, run: toRun(ended) };
    const row = await this.#engine.run((db) =>
      db
        .selectFrom("runs")
        .selectAll()
        .where("run_id", "=", runId)
        .where(isKept(sql.ref("runs.conversation_id")))
        .executeTakeFirst(),
    );
    if (row === undefined) return { finished: false, run: undefined };
    const run = toRun(row);
    const repeated = run.status === status && run.endSeq === endSeq && run.endedAt === endedAt;
    if (!repeated) return { finished: false, run };
    await this.#engine.transaction((db) => this.#complete(db, ending));
    return { finished: true, run };
  }

  /**
   * The same ending may have been stored by a process that knew no more of it than its `runEnd`. One that
   * was emptied since stays empty.
   */
  async #complete(db: Kysely<Schema>, ending: Ending): Promise<true | undefined> {
    const kept = await db
      .updateTable("runs")
      .set(({ ref }) => ({ user_id: ref("user_id") }))
      .where("run_id", "=", ending.runId)
      .where("user_id", "<>", "")
      .returning(["first_seq", "text"])
      .executeTakeFirst();
    if (kept === undefined) return undefined;
    const answer = answerOf(ending, kept.text ?? "");
    const insert =
      answer &&
      insertAnswer(db, answer).onConflict((conflict) =>
        conflict
          .columns(["run_id", "role"])
          .doUpdateSet(({ ref }) => ({
            parts: ref("excluded.parts"),
            model_messages: ref("excluded.model_messages"),
          }))
          .where("run_messages.parts", "is", null)
          .where("run_messages.model_messages", "is", null),
      );
    await insert?.execute();
    if (ending.archive !== undefined) {
      await insertArchive(db, archiveOf(ending, ending.archive, kept.first_seq)).execute();
    }
    return true;
  }

  /** Undefined when it is not in progress. */
  async #end(db: Kysely<Schema>, ending: Ending) {
    const { runId, status, output, usage, error, endSeq, endedAt, providerCalls } = ending;
    const { archive } = ending;
    const text = storable(ending.text);
    const outputJson = jsonOrNull(output);
    const [ended] = await this.#endRun(db, {
      ...{ runId, status, text, endSeq, endedAt },
      output: outputJson,
      usage: jsonOrNull(usage),
      error: jsonOrNull(error),
      providerCalls: providerCalls ?? null,
    });
    if (ended === undefined) return undefined;
    const answer = answerOf(ending, text);
    if (answer !== undefined) await this.#insertAnswer(db, answer);
    if (archive !== undefined) {
      await this.#insertArchive(db, archiveOf(ending, archive, ended.first_seq));
    }
    return { ...ended, text, output: outputJson };
  }
}

/**
 * Undefined where the answer is its text alone: what says no more than the run's row is not written.
 * @param text as it is stored
 */
function answerOf({ runId, parts, modelMessages }: Ending, text: string): AnswerValues | undefined {
  const stored = encodeParts(parts, text);
  if (stored === null && modelMessages === undefined) return undefined;
  return {
    runId,
    parentId: messageIdOf(runId, "human"),
    parts: stored,
    modelMessages: modelMessages === undefined ? null : storable(modelMessages),
  };
}

function archiveOf(
  { runId, endSeq, endedAt }: Ending,
  archive: NonNullable<Ending["archive"]>,
  firstSeq: number,
): ArchiveValues {
  const { events, rawBytes } = archive;
  return { runId, endSeq, endedAt, firstSeq, events, rawBytes };
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

interface EndValues {
  readonly runId: string;
  readonly status: RunStatus;
  readonly text: string;
  readonly output: string | null;
  readonly usage: string | null;
  readonly error: string | null;
  readonly endSeq: number;
  readonly endedAt: string;
  readonly providerCalls: number | null;
}

/** The answer, which may be megabytes, is here already: the database would give another copy of it. */
const besidesAnswer = [
  ...(["run_id", "conversation_id", "bot_id", "user_id", "message", "input"] as const),
  ...(["status", "first_seq", "started_at", "owner", "end_seq", "ended_at"] as const),
  ...(["usage", "error", "provider_calls"] as const),
];

function endRun(db: Kysely<Schema>, end: EndValues) {
  return db
    .updateTable("runs")
    .set({
      status: end.status,
      text: end.text,
      output: end.output,
      usage: end.usage,
      error: end.error,
      end_seq: end.endSeq,
      ended_at: end.endedAt,
      provider_calls: end.providerCalls,
    })
    .where("run_id", "=", end.runId)
    .where("status", "=", running)
    .returning(besidesAnswer);
}

interface AnswerValues {
  readonly runId: string;
  readonly parentId: string;
  readonly parts: string | null;
  readonly modelMessages: string | null;
}

function insertAnswer(db: Kysely<Schema>, { runId, parentId, parts, modelMessages }: AnswerValues) {
  return db.insertInto("run_messages").values({
    run_id: runId,
    role: sql.lit("ai" as const),
    parent_id: parentId,
    parts,
    model_messages: modelMessages,
  });
}

interface ArchiveValues {
  readonly runId: string;
  readonly firstSeq: number;
  readonly endSeq: number;
  readonly endedAt: string;
  readonly rawBytes: number;
  readonly events: Uint8Array;
}

function insertArchive(db: Kysely<Schema>, archive: ArchiveValues) {
  // What is there already is the same, or says that it may not be kept (administration/redaction.ts).
  const insert = db.insertInto("run_archives").onConflict((conflict) => conflict.doNothing());
  return insert.values({
    run_id: archive.runId,
    // A run is archived as one piece, at its end.
    segment: 0,
    first_seq: archive.firstSeq,
    last_seq: archive.endSeq,
    raw_bytes: archive.rawBytes,
    ended_at: archive.endedAt,
    events: archive.events,
  });
}
