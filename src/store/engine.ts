/** Runs the store's queries on a database: statements, transactions, prepared queries. */
import type { Compilable, Kysely, Transaction } from "kysely";
import { checked } from "./queries/text.ts";
import type { Schema } from "./schema.ts";

/** A query whose text is made once. Calling it fills in the values. */
export type Prepared<Values, Row> = (db: Kysely<Schema>, values: Values) => Promise<Row[]>;

export class Engine {
  readonly #db: Kysely<Schema>;
  readonly #failure: (error: unknown) => unknown;

  /** @param failure what callers are thrown for what the database threw */
  constructor(db: Kysely<Schema>, failure: (error: unknown) => unknown) {
    this.#db = db;
    this.#failure = failure;
  }

  /** Runs statements, each for itself. */
  async run<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T> {
    try {
      return await work(this.#db);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * Runs statements as one: all of them happen, or, when `work` throws or answers undefined, none.
   *
   * `work` waits for its statements and nothing else. On SQLite those settle within microtasks, and
   * the event log, which writes through the same connection, counts on that.
   */
  async transaction<T>(
    work: (transaction: Transaction<Schema>) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    try {
      const transaction = await this.#db.startTransaction().execute();
      let result: T | undefined;
      try {
        result = await work(transaction);
        if (result !== undefined) await transaction.commit().execute();
      } finally {
        if (!transaction.isCommitted) await transaction.rollback().execute();
      }
      return result;
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
