/**
 * Locks a Postgres database: for one process alone, or for several that share a log. A process that
 * shares no log ends, at its start, the runs that an earlier process left behind, and would take the
 * runs in progress of another process for those.
 *
 * An advisory lock of a session, on a connection of its own: Postgres gives it back, however the
 * process ends. Needs sessions of its own: session-check.ts.
 */
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Client, type ClientConfig } from "pg";
import { LangwireError } from "../../protocol/errors.ts";
import { within } from "../../time/within.ts";
import { checkSessions } from "./session-check.ts";
import { socketThatGivesUp } from "./socket-timeout.ts";

export type DatabaseUse = "alone" | "shared";

/** Longer than Postgres needs to release the lock of a process that is gone (`serverSide`). */
const defaultTakeTimeoutMs = 15_000;
const retryMs = 200;
const closeMs = 1_000;
const pingMs = 2_000;
/**
 * Idle timeout of the lock's connection. Shorter than Postgres needs to give the lock to another
 * process (`serverSide`), so this one stops before that one begins.
 */
const idleTimeoutMs = 6_000;

/** Postgres probes a silent process after 5 s, and releases its lock after 11 s. */
const serverSide = `
  set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
  set tcp_user_timeout = 11000`;

/** Advisory locks are the database's: the schema tells deployments apart that share a database. */
const key = "(1818324583, hashtext(coalesce(current_schema(), '')))";
const tryLock: Record<DatabaseUse, string> = {
  alone: `select pg_try_advisory_lock${key} as taken`,
  shared: `select pg_try_advisory_lock_shared${key} as taken`,
};
const whyNot: Record<DatabaseUse, string> = {
  alone: "another process uses this database; for more than one, set REDIS_URL in each of them",
  shared: "a process without REDIS_URL uses this database, and has to be the only one",
};

interface TakeOptions {
  readonly use: DatabaseUse;
  readonly takeTimeoutMs?: number | undefined;
}

export class DatabaseLock implements AsyncDisposable {
  readonly #config: ClientConfig;
  readonly #use: DatabaseUse;
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #client: Client | undefined;
  #hasOwnSessions = false;
  #socket: Socket | undefined;
  #held = false;
  #pinging = false;
  #retaking: Promise<void> | undefined;

  private constructor(config: ClientConfig, use: DatabaseUse) {
    this.#config = config;
    this.#use = use;
    this.#timer = setInterval(() => void this.#ping(), pingMs).unref();
  }

  /**
   * Takes the lock; retries while another process, which may be shutting down, has it.
   * @param options `takeTimeoutMs`: how long it is retried
   * @throws LangwireError STORE_UNAVAILABLE when another process keeps it, or none can; what pg throws
   */
  static async take(
    config: ClientConfig,
    { use, takeTimeoutMs = defaultTakeTimeoutMs }: TakeOptions,
  ): Promise<DatabaseLock> {
    await using taking = new AsyncDisposableStack();
    const lock = taking.use(new DatabaseLock(config, use));
    const deadlineMs = performance.now() + takeTimeoutMs;
    while (!(await lock.#try())) {
      if (performance.now() >= deadlineMs) {
        throw new LangwireError("STORE_UNAVAILABLE", { cause: new Error(whyNot[use]) });
      }
      await delay(retryMs);
    }
    taking.move();
    return lock;
  }

  /** @throws LangwireError STORE_UNAVAILABLE while the lock is lost and not taken again */
  check(): void {
    if (this.#held) return;
    const cause = new Error("the database may be another process's by now");
    throw new LangwireError("STORE_UNAVAILABLE", { cause });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#timer);
    if (!this.#held) this.#socket?.destroy();
    await this.#retaking;
    this.#socket?.ref();
    // A server that does not answer would hold up the shutdown.
    await within(Promise.resolve(this.#client?.end()), closeMs);
    this.#socket?.destroy();
  }

  async #try(): Promise<boolean> {
    this.#client ??= await this.#connect();
    const { rows } = await this.#client.query<{ taken: boolean }>(tryLock[this.#use]);
    this.#held = rows[0]?.taken === true;
    // The lock alone does not keep the process running.
    if (this.#held) this.#socket?.unref();
    return this.#held;
  }

  async #connect(): Promise<Client> {
    const socket = socketThatGivesUp(idleTimeoutMs);
    this.#socket = socket;
    const client = new Client({ ...this.#config, stream: () => socket });
    client.on("error", () => {});
    client.once("end", () => this.#lost(client));
    await client.connect();
    if (!this.#hasOwnSessions) await this.#checkSessions(client);
    await client.query(serverSide);
    return client;
  }

  /** Before anything is locked: a lock in somebody else's session would stay there. */
  async #checkSessions(client: Client): Promise<void> {
    const other = new Client({ ...this.#config, stream: () => socketThatGivesUp(idleTimeoutMs) });
    other.on("error", () => {});
    try {
      await other.connect();
      await checkSessions(client, other);
      this.#hasOwnSessions = true;
    } catch (error) {
      this.#socket?.destroy();
      throw error;
    } finally {
      await within(other.end(), closeMs);
    }
  }

  #lost(client: Client): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    // `take` and `#retake` retry by themselves.
    if (!this.#held) return;
    this.#held = false;
    this.#retaking = this.#retake();
  }

  async #retake(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (await this.#try().catch(() => false)) return;
      await delay(retryMs, undefined, { ref: false, signal }).catch(() => {});
    }
  }

  /** One ping at a time: writing a second would restart the socket's idle timeout, answered or not. */
  async #ping(): Promise<void> {
    if (this.#pinging || !this.#held) return;
    this.#pinging = true;
    await this.#client?.query("select 1").catch(() => {});
    this.#pinging = false;
  }
}
