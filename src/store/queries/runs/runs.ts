/** Finding runs. They begin in claim.ts and end in finish.ts. */
import { type Kysely, sql } from "kysely";
import type { Conversation } from "../../../protocol/conversations.ts";
import type { Engine } from "../../engine.ts";
import { toRun } from "../../rows.ts";
import { noArchiveBytes, running, type Schema } from "../../schema.ts";
import type {
  Claim,
  EndedRun,
  Ending,
  Finished,
  NewRun,
  Restored,
  Run,
  Runs,
} from "../../store.ts";
import { isKept } from "../conversation-queries.ts";
import { bytesOf, fitting } from "../fitting.ts";
import { Claims } from "./claim.ts";
import { Endings } from "./finish.ts";
import { Restores } from "./restore.ts";

/** Limit of the texts that `endedBetween` reads at once. The first run comes whatever its size. */
const endedMaxBytes = 256 * 1024;

export class StoredRuns implements Runs {
  readonly #engine: Engine;
  readonly #claims: Claims;
  readonly #endings: Endings;
  readonly #restores: Restores;
  readonly #selectOwn;
  readonly #selectRunning;
  readonly #selectEnded;

  /** @param numbersAfter no event has this number or a lower one from now on */
  constructor(engine: Engine, numbersAfter: number) {
    this.#engine = engine;
    this.#claims = new Claims(engine, numbersAfter);
    this.#endings = new Endings(engine);
    this.#restores = new Restores(engine);
    this.#selectOwn = engine.prepare(selectOwn);
    this.#selectRunning = engine.prepare(selectRunning);
    this.#selectEnded = engine.prepare(selectEnded);
  }

  async claim(input: NewRun): Promise<Claim> {
    return await this.#claims.claim(input);
  }

  async get(runId: string, userId: string): Promise<Run | undefined> {
    const [row] = await this.#engine.run((db) => this.#selectOwn(db, { runId, userId }));
    return row && toRun(row);
  }

  async running(conversationId: string): Promise<Run | undefined> {
    const [row] = await this.#engine.run((db) => this.#selectRunning(db, { conversationId }));
    return row && toRun(row);
  }

  async begunBy(owner: string, runId: string): Promise<Run | undefined> {
    const row = await this.#engine.run((db) =>
      db
        .selectFrom("runs")
        .selectAll()
        .where("run_id", "=", runId)
        .where("owner", "=", owner)
        .where(isKept(sql.ref("runs.conversation_id")))
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

  async finish(ending: Ending): Promise<Finished> {
    return await this.#endings.finish(ending);
  }

  async restore(run: Run, conversation: Conversation | undefined): Promise<Restored> {
    return await this.#restores.restore(run, conversation);
  }

  async endedBetween(conversationId: string, afterSeq: number, limit: number): Promise<EndedRun[]> {
    const asked = { conversationId, afterSeq, limit };
    const found = await this.#engine.run((db) => this.#selectEnded(db, asked));
    const last = fitting(found, endedMaxBytes).at(-1);
    if (last === undefined) return [];
    const rows = await this.#engine.run((db) =>
      db
        .selectFrom("runs")
        .selectAll()
        .select(({ exists, selectFrom }) =>
          exists(
            selectFrom("run_archives as a")
              .select("a.run_id")
              .whereRef("a.run_id", "=", "runs.run_id")
              .where("a.raw_bytes", "<>", noArchiveBytes),
          ).as("archived"),
        )
        .where("conversation_id", "=", conversationId)
        .where("end_seq", ">", afterSeq)
        .where("end_seq", "<=", last.end_seq)
        .orderBy("end_seq")
        .execute(),
    );
    return rows.map((row) => ({ ...toRun(row), archived: Boolean(row.archived) }));
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

function selectRunning(
  db: Kysely<Schema>,
  { conversationId }: { readonly conversationId: string },
) {
  return db
    .selectFrom("runs")
    .selectAll()
    .where("conversation_id", "=", conversationId)
    .where("status", "=", running);
}

interface EndedAfter {
  readonly conversationId: string;
  readonly afterSeq: number;
  readonly limit: number;
}

function selectEnded(db: Kysely<Schema>, { conversationId, afterSeq, limit }: EndedAfter) {
  return db
    .selectFrom("runs")
    .select(["end_seq", bytesOf("message", "text", "input", "output").as("bytes")])
    .where("conversation_id", "=", conversationId)
    .where(isKept(conversationId))
    .where("end_seq", ">", afterSeq)
    .orderBy("end_seq")
    .limit(limit);
}
