/** Runs: finding them and ending them. `claim.ts` begins them. */

import { type Kysely, sql } from "kysely";
import type { Conversation } from "../../protocol/conversations.ts";
import type { RunStatus } from "../../protocol/events.ts";
import type { Engine } from "../engine.ts";
import { toRun } from "../rows.ts";
import { running, type Schema } from "../schema.ts";
import type { Claim, Ending, Finished, NewRun, Restored, Run, Runs } from "../store.ts";
import { Claims } from "./claim.ts";
import { fitting } from "./fitting.ts";
import { Restores } from "./restore.ts";
import { storable } from "./text.ts";

/** Limit of the texts that `endedBetween` reads at once. The first run comes whatever its size. */
const endedMaxBytes = 256 * 1024;

export class StoredRuns implements Runs {
  readonly #engine: Engine;
  readonly #claims: Claims;
  readonly #restores: Restores;
  readonly #selectOwn;
  readonly #endRun;

  /** @param numbersAfter no event has this number or a lower one from now on */
  constructor(engine: Engine, numbersAfter: number) {
    this.#engine = engine;
    this.#claims = new Claims(engine, numbersAfter);
    this.#restores = new Restores(engine);
    this.#selectOwn = engine.prepare(selectOwn);
    this.#endRun = engine.prepare(endRun);
  }

  async claim(input: NewRun): Promise<Claim> {
    return await this.#claims.claim(input);
  }

  async get(runId: string, userId: string): Promise<Run | undefined> {
    const [row] = await this.#engine.run((db) => this.#selectOwn(db, { runId, userId }));
    return row && toRun(row);
  }

  async running(conversationId: string): Promise<Run | undefined> {
    const row = await this.#engine.run((db) =>
      db
        .selectFrom("runs")
        .selectAll()
        .where("conversation_id", "=", conversationId)
        .where("status", "=", running)
        .executeTakeFirst(),
    );
    return row && toRun(row);
  }

  async begunBy(owner: string, runId: string): Promise<Run | undefined> {
    const row = await this.#engine.run((db) =>
      db
        .selectFrom("runs")
        .selectAll()
        .where("run_id", "=", runId)
        .where("owner", "=", owner)
        .executeTakeFirst(),
    );
    return row && toRun(row);
  }

  async inProgress(owner?: string): Promise<string[]> {
    const rows = await this.#engine.run((db) => {
      const query = db.selectFrom("runs").select("run_id").where("status", "=", running);
      return (owner === undefined ? query : query.where("owner", "=", owner)).execute();
    });
    return rows.map(({ run_id }) => run_id);
  }

  async owners(): Promise<(string | null)[]> {
    const rows = await this.#engine.run((db) =>
      db.selectFrom("runs").select("owner").distinct().where("status", "=", running).execute(),
    );
    return rows.map(({ owner }) => owner);
  }

  async ownedBy(owner: string | null): Promise<Run[]> {
    const rows = await this.#engine.run((db) =>
      db
        .selectFrom("runs")
        .selectAll()
        .where("status", "=", running)
        .where("owner", owner === null ? "is" : "=", owner)
        .orderBy("started_at")
        .execute(),
    );
    return rows.map(toRun);
  }

  async unfinished(): Promise<Run[]> {
    const rows = await this.#engine.run((db) =>
      db
        .selectFrom("runs")
        .selectAll()
        .where("status", "=", running)
        .orderBy("started_at")
        .execute(),
    );
    return rows.map(toRun);
  }

  /** One statement, whose condition decides who ends the run; nothing else needs to be written. */
  async finish(ending: Ending): Promise<Finished> {
    const { runId, status, text, usage, error, endSeq, endedAt, providerCalls } = ending;
    const [ended] = await this.#engine.run((db) =>
      this.#endRun(db, {
        runId,
        status,
        text: storable(text),
        usage: usage === undefined ? null : JSON.stringify(usage),
        error: error === undefined ? null : JSON.stringify(error),
        endSeq,
        endedAt,
        providerCalls: providerCalls ?? null,
      }),
    );
    if (ended !== undefined) return { finished: true, run: toRun(ended) };
    const row = await this.#engine.run((db) =>
      db.selectFrom("runs").selectAll().where("run_id", "=", runId).executeTakeFirst(),
    );
    if (row === undefined) return { finished: false, run: undefined };
    const run = toRun(row);
    const repeated = run.status === status && run.endSeq === endSeq && run.endedAt === endedAt;
    return repeated ? { finished: true, run } : { finished: false, run };
  }

  async restore(run: Run, conversation: Conversation | undefined): Promise<Restored> {
    return await this.#restores.restore(run, conversation);
  }

  async endedBetween(conversationId: string, afterSeq: number, limit: number): Promise<Run[]> {
    const found = await this.#engine.run((db) =>
      db
        .selectFrom("runs")
        .select(({ fn }) => {
          const bytes = sql<number>`${fn("octet_length", ["message"])} + ${fn("octet_length", ["text"])}`;
          return ["end_seq", bytes.as("bytes")];
        })
        .where("conversation_id", "=", conversationId)
        .where("end_seq", ">", afterSeq)
        .orderBy("end_seq")
        .limit(limit)
        .execute(),
    );
    const last = fitting(found, endedMaxBytes).at(-1);
    if (last === undefined) return [];
    const rows = await this.#engine.run((db) =>
      db
        .selectFrom("runs")
        .selectAll()
        .where("conversation_id", "=", conversationId)
        .where("end_seq", ">", afterSeq)
        .where("end_seq", "<=", last.end_seq)
        .orderBy("end_seq")
        .execute(),
    );
    return rows.map(toRun);
  }
}

/** The run, if the user may see it. */
function selectOwn(
  db: Kysely<Schema>,
  { runId, userId }: { readonly runId: string; readonly userId: string },
) {
  return db
    .selectFrom("runs as r")
    .innerJoin("members as m", "m.conversation_id", "r.conversation_id")
    .where("r.run_id", "=", runId)
    .where("m.user_id", "=", userId)
    .selectAll("r");
}

interface EndValues {
  readonly runId: string;
  readonly status: RunStatus;
  readonly text: string;
  readonly usage: string | null;
  readonly error: string | null;
  readonly endSeq: number;
  readonly endedAt: string;
  readonly providerCalls: number | null;
}

function endRun(db: Kysely<Schema>, end: EndValues) {
  return db
    .updateTable("runs")
    .set({
      status: end.status,
      text: end.text,
      usage: end.usage,
      error: end.error,
      end_seq: end.endSeq,
      ended_at: end.endedAt,
      provider_calls: end.providerCalls,
    })
    .where("run_id", "=", end.runId)
    .where("status", "=", running)
    .returningAll();
}
