/** Runs the store's queries on a database: statements, transactions, prepared queries. */
import type { Compilable, Kysely } from "kysely";
import { checked } from "./queries/text.ts";
import type { Schema } from "./schema.ts";

/** A query whose text is made once. Calling it fills in the values. */
export type Prepared<Values, Row> = (db: Kysely<Schema>, values: Values) => Promise<Row[]>;

/**
 * What a transaction does: all of it happens, or, when it throws or answers undefined, nothing. It waits for
 * its statements and nothing else, and does nothing but these: it may be run again.
 */
export type Work<T> = (transaction: Kysely<Schema>) => Promise<T | undefined>;

/** Statements, each for itself; they may be run again. */
export type Statements<T> = (db: Kysely<Schema>) => Promise<T>;

/** How statements and transactions get to the database. */
export interface Runner {
  run<T>(statements: Statements<T>): Promise<T>;
  transact<T>(work: Work<T>): Promise<T | undefined>;
}

export interface EngineOptions {
  readonly db: Kysely<Schema>;
  /** @returns what callers are thrown for what the database threw */
  readonly failure: (error: unknown) => unknown;
  /** Default: each at once, and for itself. */
  readonly runner?: Runner;
}

/** Runs it in a transaction of its own. */
export async function inTransaction<T>(db: Kysely<Schema>, work: Work<T>): Promise<T | undefined> {
  const transaction = await db.startTransaction().execute();
  let result: T | undefined;
  try {
    result = await work(transaction);
    if (result !== undefined) await transaction.commit().execute();
  } finally {
    if (!transaction.isCommitted) await transaction.rollback().execute();
  }
  return result;
}

export class Engine {
  readonly #db: Kysely<Schema>;
  readonly #failure: (error: unknown) => unknown;
  readonly #runner: Runner;

  constructor({ db, failure, runner }: EngineOptions) {
    this.#db = db;
    this.#failure = failure;
    this.#runner = runner ?? {
      run: (statements) => statements(db),
      transact: (work) => inTransaction(db, work),
    };
  }

  /** Runs statements, each for itself. */
  async run<T>(statements: Statements<T>): Promise<T> {
    try {
      return await this.#runner.run(statements);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Runs statements as one. */
  async transaction<T>(work: Work<T>): Promise<T | undefined> {
    try {
      return await this.#runner.transact(work);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * Builds a query once, for those that every run needs: building costs more than running it on SQLite.
   * @param build makes the query from stand-ins for its values, which it may only hand to Kysely
   */
  prepare<Values extends object, Row>(
    build: (db: Kysely<Schema>, values: Values) => Compilable<Row>,
  ): Prepared<Values, Row> {
    const standIns = new Proxy({}, { get: (_, name) => new StandIn(name) }) as Values;
    const query = build(this.#db, standIns).compile();
    return async (db, values) => {
      const parameters = query.parameters.map((parameter) =>
        parameter instanceof StandIn ? Reflect.get(values, parameter.name) : parameter,
      );
      const { rows } = await db.executeQuery<Row>(checked({ ...query, parameters }));
      return rows;
    };
  }
}

class StandIn {
  readonly name: PropertyKey;

  constructor(name: PropertyKey) {
    this.name = name;
  }
}
