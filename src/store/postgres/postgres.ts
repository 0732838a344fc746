/** The store in Postgres, which several nodes may share. */
import {
  type CompiledQuery,
  Kysely,
  PostgresDialect,
  type PostgresPool,
  PostgresQueryCompiler,
} from "kysely";
import { Pool, type PoolConfig, TypeOverrides, types } from "pg";
import { within } from "../../time/within.ts";
import { Engine } from "../engine.ts";
import { postgresFailure } from "../errors.ts";
import { firstMigration, migrate } from "../migrations.ts";
import { checked } from "../queries/text.ts";
import type { Schema } from "../schema.ts";
import type { Store } from "../store.ts";
import { storeOn } from "../store-on.ts";
import { DatabaseLock, type DatabaseUse } from "./database-lock.ts";
import { ownMigrationTables } from "./migration-tables.ts";
import { socketThatGivesUp } from "./socket-timeout.ts";

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`, with the parameters that libpq knows. */
  readonly url: string;
  /**
   * Locks the database, on a connection more. `alone`: against every other process; while the lock is
   * lost, nothing is read or written. `shared`: against a process that is `alone`. Default: no lock.
   */
  readonly use?: DatabaseUse;
  /** How long the lock is waited for while another process has it. Default: 15 s. */
  readonly lockTimeoutMs?: number;
  /** Connections that this store opens at most. Default: 10. */
  readonly maxConnections?: number;
  /** How long the server may take to connect or to answer; then it is unavailable. Default: 10 s. */
  readonly timeoutMs?: number;
}

const migrationTimeoutMs = 60_000;
/** How long a shutdown waits for a server that does not answer. */
const closeMs = 1_000;
/** How long the transaction of a process that stopped in the middle may block the others. */
const abandonedTransactionMs = 10_000;
/** How long a statement waits for a row that somebody else holds: it keeps a connection from all others. */
const rowTimeoutMs = 2_000;

/** @throws LangwireError STORE_UNAVAILABLE, also when another process uses the database */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, use, lockTimeoutMs, maxConnections = 10, timeoutMs = 10_000 } = options;
  const shared: PoolConfig = {
    connectionString: url,
    application_name: "langwire",
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
    types: numbers(),
  };
  await using opening = new AsyncDisposableStack();
  let lock: DatabaseLock | undefined;
  let numbersAfter: number;
  try {
    if (use !== undefined) {
      lock = opening.use(await DatabaseLock.take(shared, { use, takeTimeoutMs: lockTimeoutMs }));
    }
    numbersAfter = await migrateAlone(shared);
  } catch (error) {
    throw postgresFailure(error);
  }
  const pool = poolOf({
    ...shared,
    max: maxConnections,
    // Sooner than the socket's own timeout, which cannot tell an idle connection from a dead one.
    idleTimeoutMillis: timeoutMs / 2,
    stream: () => socketThatGivesUp(timeoutMs),
    onConnect: (client) =>
      client.query(
        `set idle_in_transaction_session_timeout = ${abandonedTransactionMs};
         set lock_timeout = ${rowTimeoutMs}`,
      ),
  });
  opening.defer(async () => {
    await within(pool.end(), closeMs);
  });
  const connections = use === "alone" && lock !== undefined ? guarded(pool, lock) : pool;
  const opened = opening.move();
  let closing: Promise<void> | undefined;
  return {
    ...storeOn(new Engine({ db: kyselyOn(connections), failure: postgresFailure }), numbersAfter),
    async [Symbol.asyncDispose]() {
      closing ??= opened.disposeAsync();
      await closing;
    },
  };
}

/** The pool, which gives out no connection while the lock is lost. */
function guarded(pool: Pool, lock: DatabaseLock): PostgresPool {
  return {
    options: pool.options,
    connect: async () => {
      lock.check();
      return await pool.connect();
    },
    end: () => pool.end(),
  };
}

/**
 * Migrates on a connection of its own: it may wait long for another process's migration.
 * @returns the number after which events are numbered, where a backup was put back (docs/deployment.md)
 */
async function migrateAlone(config: PoolConfig): Promise<number> {
  const stream = () => socketThatGivesUp(migrationTimeoutMs);
  const pool = poolOf({ ...config, stream, max: 1 });
  try {
    const db = kyselyOn(pool);
    await migrate(db, await ownMigrationTables(db, firstMigration));
    return await skippedNumbers(pool);
  } finally {
    await pool.end();
  }
}

async function skippedNumbers(pool: Pool): Promise<number> {
  const { rows } = await pool.query("select to_regclass('langwire_skipped_numbers') as found");
  if (rows[0]?.found === null) return 0;
  const skipped = await pool.query("select max(up_to) as seq from langwire_skipped_numbers");
  return skipped.rows[0]?.seq ?? 0;
}

function poolOf(config: PoolConfig): Pool {
  const pool = new Pool(config);
  // A connection that breaks says so to its query, and here; unheard here, it ends the process. The
  // pool listens only while a connection is idle, and opens another for the next call.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

function kyselyOn(pool: PostgresPool): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new CheckingDialect({ pool }) });
}

class CheckingDialect extends PostgresDialect {
  override createQueryCompiler(): PostgresQueryCompiler {
    return new CheckingCompiler();
  }
}

class CheckingCompiler extends PostgresQueryCompiler {
  override compileQuery(
    ...query: Parameters<PostgresQueryCompiler["compileQuery"]>
  ): CompiledQuery {
    return checked(super.compileQuery(...query));
  }
}

/** Bigints as numbers: an event's number is far from what a double cannot hold. */
function numbers(): TypeOverrides {
  const overrides = new TypeOverrides();
  overrides.setTypeParser(types.builtins.INT8, Number);
  return overrides;
}
