/** Kysely on node:sqlite: the parts of Kysely's own SQLite dialect around a `DatabaseSync`. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Kysely,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type SqliteStatement,
} from "kysely";
import { checked } from "../queries/text.ts";

/** Called for what a statement throws, before anything else is run. */
type OnFailure = (error: unknown) => void;

export class NodeSqliteDialect implements Dialect {
  readonly #database: DatabaseSync;
  readonly #onFailure: OnFailure;

  constructor(database: DatabaseSync, onFailure: OnFailure = () => {}) {
    this.#database = database;
    this.#onFailure = onFailure;
  }

  createDriver(): SqliteDriver {
    return new NodeSqliteDriver(this.#database, this.#onFailure);
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new CheckingCompiler();
  }

  createAdapter(): SqliteAdapter {
    return new TransactionalDdlAdapter();
  }

  createIntrospector(db: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(db);
  }
}

class NodeSqliteDriver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync, onFailure: OnFailure) {
    super({ database: new PreparingDatabase(database, onFailure) });
    this.#database = database;
  }

  /**
   * Takes the right to write at once. A transaction that reads first and writes later fails without
   * waiting when another process has written in between.
   */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** SQLite has rolled back by itself after some failures, a full disk among them. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }

  /** The database closes with the store; Kysely is not alone in using it. */
  override async destroy(): Promise<void> {}
}

/** SQLite can undo changes to tables, which lets a migration be one transaction. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class CheckingCompiler extends SqliteQueryCompiler {
  override compileQuery(...query: Parameters<SqliteQueryCompiler["compileQuery"]>): CompiledQuery {
    return checked(super.compileQuery(...query));
  }
}

/**
 * Prepares each statement once. There are only as many as the store's code has queries, since
 * values are never part of their text.
 */
class PreparingDatabase implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #onFailure: OnFailure;
  readonly #statements = new Map<string, PreparedStatement>();

  constructor(database: DatabaseSync, onFailure: OnFailure) {
    this.#database = database;
    this.#onFailure = onFailure;
  }

  prepare(sql: string): PreparedStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = new PreparedStatement(this.#database.prepare(sql), this.#onFailure);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** See `NodeSqliteDriver.destroy`. */
  close(): void {}
}

class PreparedStatement implements SqliteStatement {
  readonly reader: boolean;
  readonly #statement: StatementSync;
  readonly #onFailure: OnFailure;

  constructor(statement: StatementSync, onFailure: OnFailure) {
    this.#statement = statement;
    this.#onFailure = onFailure;
    this.reader = statement.columns().length > 0;
  }

  all(parameters: readonly unknown[]): unknown[] {
    try {
      return this.#statement.all(...(parameters as SQLInputValue[]));
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
  }

  run(parameters: readonly unknown[]) {
    try {
      return this.#statement.run(...(parameters as SQLInputValue[]));
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(...(parameters as SQLInputValue[]));
  }
}
