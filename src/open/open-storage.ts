/**
 * The store and the log, in one of three forms:
 *
 *   one process                SQLite file, log in memory with a journal in the same file
 *   one process, database      Postgres, log in memory with a journal in a file of its own
 *   one of several processes   Postgres, log in Redis, a lease in the cluster
 */
import { randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { SqliteJournal } from "../log/journal.ts";
import { defaultLogBounds, type EventLog, type LogBounds } from "../log/log.ts";
import { MemoryLog } from "../log/memory-log.ts";
import { RedisLog, type RedisLogTimes } from "../log/redis/redis-log.ts";
import type { RedisTimes } from "../redis/connection.ts";
import type { LeaseTimes } from "../redis/node-lease.ts";
import type { Redis } from "../redis/redis.ts";
import type { Archiver } from "../runs/archives/archiver.ts";
import { Cluster, type ClusterTimes } from "../runs/cluster/cluster.ts";
import type { RunObserver } from "../runs/observer.ts";
import { sqliteFailure } from "../store/errors.ts";
import { DatabaseSync } from "../store/sqlite/node-sqlite.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { lockFolder } from "./folder-lock.ts";
import { withPackage } from "./optional-package.ts";
import { redisCoordination } from "./redis-coordination.ts";
import {
  databaseFailure,
  fileFailure,
  laterVersionFailure,
  redisFailure,
  type StorageFile,
} from "./storage-failure.ts";

export interface StorageOptions {
  /** Where conversations and the journal live. Without it, in memory alone. */
  readonly dataDir?: string;
  /** `postgres://…`: conversations live there instead. Without `redisUrl`, for one process alone. */
  readonly databaseUrl?: string;
  /**
   * `redis://…`: one of several processes that share this Redis and `databaseUrl`. Of a Redis Cluster,
   * any server.
   */
  readonly redisUrl?: string;
  /** Begins every key in Redis. Default: `langwire`. */
  readonly redisPrefix?: string;
  readonly clusterTimes?: Partial<ClusterTimes & LeaseTimes & RedisLogTimes & RedisTimes>;
  readonly logBounds?: Partial<LogBounds>;
}

export interface Storage extends AsyncDisposable {
  readonly store: Store;
  readonly log: EventLog;
  /** Set where there may be other processes. */
  readonly shared: { readonly cluster: Cluster; readonly redis: Redis } | undefined;
  /** Set where all is in one file. @returns a copy of it as it is at one moment, the caller's to remove */
  readonly snapshot?: (() => Promise<string>) | undefined;
}

export interface OpenStorageOptions extends StorageOptions {
  readonly storeTimeoutMs: number;
  readonly observer: RunObserver;
  readonly archiver: Archiver;
}

/** The database's name in the data folder. */
export const databaseFile = "langwire.sqlite";
const journalFile = "journal.sqlite";
/** With where to; a message of the log's own, since it withholds those of errors. */
const foreignWal =
  "a write-ahead log lay beside another database than its own (a backup that was copied there?), and was moved to";
const snapshotPrefix = `${databaseFile}-backup-`;

/**
 * @throws LangwireError STORE_UNAVAILABLE when something cannot be reached or used, or another
 *   process uses `dataDir`, or `databaseUrl` without sharing a log
 * @throws TypeError for `redisUrl` without `databaseUrl`
 * @throws MissingPackageError when the package that `databaseUrl` or `redisUrl` needs is not installed
 */
export async function openStorage(options: OpenStorageOptions): Promise<Storage> {
  const { databaseUrl, redisUrl } = options;
  if (redisUrl !== undefined && databaseUrl === undefined) {
    throw new TypeError("redisUrl needs databaseUrl: processes that share a log share a store");
  }
  await using opening = new AsyncDisposableStack();
  const parts =
    databaseUrl === undefined
      ? await openSqlite(opening, options)
      : redisUrl === undefined
        ? await openPostgres(opening, { ...options, databaseUrl })
        : await openCluster(opening, { ...options, databaseUrl, redisUrl });
  const opened = opening.move();
  return { shared: undefined, ...parts, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function openSqlite(
  opening: AsyncDisposableStack,
  { dataDir, logBounds, observer }: OpenStorageOptions,
) {
  if (dataDir !== undefined) opening.use(await lockFolder(dataDir));
  const path = dataDir === undefined ? ":memory:" : join(dataDir, databaseFile);
  const file = { path, loss: "all conversations" };
  const onForeignWal = (movedTo: string) =>
    observer.failed?.(`${foreignWal} ${movedTo}`, undefined);
  const sole = dataDir === undefined ? undefined : { onForeignWal };
  const store = opening.use(await openSqliteStore({ path, sole }).catch(failing(file)));
  const onDamage = observer.failed;
  const journal =
    dataDir === undefined ? undefined : new SqliteJournal(store.database, { onDamage });
  const archived = journal && (await archivedIn(store, logBounds));
  const log = opening.use(new MemoryLog({ bounds: logBounds, journal, archived }));
  if (dataDir === undefined) return { store, log };
  await removeSnapshots(dataDir);
  const snapshot = async () => {
    const to = join(dataDir, `${snapshotPrefix}${randomUUID()}`);
    await store.snapshot(to).catch(async (cause: unknown) => {
      await rm(to, { force: true });
      throw sqliteFailure(cause);
    });
    return to;
  };
  return { store, log, snapshot };
}

/** A process that was killed while it wrote one leaves its file, with all that was kept. */
async function removeSnapshots(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(snapshotPrefix)) await rm(join(folder, name), { force: true });
  }
}

async function openPostgres(
  opening: AsyncDisposableStack,
  { dataDir, databaseUrl, logBounds, observer }: OpenStorageOptions & { databaseUrl: string },
) {
  if (dataDir !== undefined) opening.use(await lockFolder(dataDir));
  const store = opening.use(await openDatabase(databaseUrl, "alone"));
  const journal =
    dataDir === undefined ? undefined : openJournal(opening, join(dataDir, journalFile), observer);
  const archived = journal && (await archivedIn(store, logBounds));
  return { store, log: opening.use(new MemoryLog({ bounds: logBounds, journal, archived })) };
}

/** What the journal may still have, and the store has as well. */
function archivedIn({ archives }: Store, bounds: StorageOptions["logBounds"]) {
  const { retentionMs } = { ...defaultLogBounds, ...bounds };
  return archives.since(new Date(Date.now() - retentionMs).toISOString());
}

async function openDatabase(url: string, use: "alone" | "shared") {
  const { openPostgresStore } = await withPackage(
    { packageName: "pg", neededBy: "databaseUrl" },
    import("../store/postgres/postgres.ts"),
  );
  return await openPostgresStore({ url, use }).catch((error: unknown) => {
    throw databaseFailure(laterVersionFailure(error, "the database"));
  });
}

function failing(file: StorageFile) {
  return (error: unknown): never => {
    throw fileFailure(error, file);
  };
}

function openJournal(
  opening: AsyncDisposableStack,
  path: string,
  observer: RunObserver,
): SqliteJournal {
  try {
    const database = new DatabaseSync(path);
    opening.defer(() => database.close());
    // Like the store's file: a commit does not wait for the disk.
    database.exec(
      "pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on",
    );
    return new SqliteJournal(database, { apartFromStore: true, onDamage: observer.failed });
  } catch (error) {
    throw fileFailure(error, { path, loss: "the partial answers of runs that were cut" });
  }
}

/**
 * A process does not start while Redis is away or full: it would hold nothing that it could keep. Whoever
 * starts it (a supervisor) tries again; what runs already goes on.
 */
const noRedis =
  (silent: "Redis" | "Postgres") =>
  (error: unknown): never => {
    throw redisFailure(error, silent);
  };

async function openCluster(
  opening: AsyncDisposableStack,
  options: OpenStorageOptions & { databaseUrl: string; redisUrl: string },
) {
  const { databaseUrl, redisUrl, redisPrefix, clusterTimes: times } = options;
  const { logBounds, storeTimeoutMs, observer, archiver } = options;
  // A process that starts again has another id: what the one before left behind is the reaper's.
  const nodeId = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  // Before anything is opened: what has to be installed is said at once.
  const { Redis } = await withPackage(
    { packageName: "redis", neededBy: "redisUrl" },
    import("../redis/redis.ts"),
  );
  const store = opening.use(await openDatabase(databaseUrl, "shared"));
  const redis = opening.use(
    await Redis.open({ url: redisUrl, prefix: redisPrefix, nodeId, times }).catch(noRedis("Redis")),
  );
  const log = opening.use(
    new RedisLog({
      redis,
      bounds: logBounds,
      times: { timeoutMs: storeTimeoutMs, ...times },
      // Also when it has ended in the store, and the log has not heard of it; unless somebody else
      // has ended it there, who then writes the end.
      isOurs: async ({ runId }) => {
        const run = await store.runs.begunBy(nodeId, runId);
        return run !== undefined && run.error?.code !== "OWNER_LOST";
      },
    }),
  );
  const coordination = redisCoordination(redis, times);
  const joining = Cluster.join({ coordination, log, store, times, observer, archiver });
  // A process joins as one that reaches Postgres, too.
  const cluster = opening.use(await joining.catch(noRedis("Postgres")));
  return { store, log, shared: { cluster, redis } };
}
