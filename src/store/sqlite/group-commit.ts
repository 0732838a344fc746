/**
 * Group commit: the transactions that are asked for in one turn of the event loop are committed as one. A
 * commit writes every page that was changed, and those of runs that begin or end together change the same:
 * the ends of tables and of indexes.
 *
 * Each is a savepoint in the group's transaction, so one that fails undoes nothing of another's. What is asked
 * for after one and before its commit joins the group, too: it finds what came before it. A group is over
 * within the microtasks of one turn: the event log, which writes through the same connection, counts on that.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CompiledQuery, type Kysely } from "kysely";
import { inTransaction, type Runner, type Statements, type Work } from "../engine.ts";
import type { Schema } from "../schema.ts";

/** How long the thread is kept at a time. The transaction in which it is exceeded still belongs to the group. */
const groupMaxMs = 4;

const savepoint = CompiledQuery.raw("savepoint member");
const undo = CompiledQuery.raw("rollback to member");
const release = CompiledQuery.raw("release member");

interface Member {
  readonly work: Work<unknown>;
  /** Does it without the others. */
  readonly alone: () => Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly result: unknown } | { readonly error: unknown };

export class GroupCommit implements Runner {
  readonly #db: Kysely<Schema>;
  /** A group belongs to none of its callers. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  #waiting: Member[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  /** Whether members of a group that failed are at work one by one, with turns between them. */
  #isSplit = false;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** At once, unless a transaction waits that was asked for before. */
  async run<T>(statements: Statements<T>): Promise<T> {
    if (this.#waiting.length === 0 && !this.#isSplit) return await statements(this.#db);
    const work = async (db: Kysely<Schema>) => ({ result: await statements(db) });
    const alone = () => work(this.#db);
    return ((await this.#join(work, alone)) as { readonly result: T }).result;
  }

  /** Settles when the group is committed, or it alone has failed. */
  async transact<T>(work: Work<T>): Promise<T | undefined> {
    const alone = () => inTransaction(this.#db, work);
    return (await this.#join(work, alone)) as T | undefined;
  }

  #join(work: Work<unknown>, alone: () => Promise<unknown>): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ work, alone, resolve, reject });
    this.#soon();
    return promise;
  }

  #soon(): void {
    if (this.#isSplit) return;
    this.#scheduled ??= this.#inOwnContext(() => setImmediate(() => this.#commit()));
  }

  async #commit(): Promise<void> {
    this.#scheduled = undefined;
    const group = this.#waiting;
    this.#waiting = [];
    const [first, second] = group;
    if (first === undefined) return;
    if (second === undefined) return await goAlone(first);
    try {
      const outcomes = await this.#together(group);
      for (const [index, outcome] of outcomes.entries()) {
        const member = group[index];
        if ("error" in outcome) member?.reject(outcome.error);
        else member?.resolve(outcome.result);
      }
      this.#waiting.unshift(...group.slice(outcomes.length));
      if (this.#waiting.length > 0) this.#soon();
    } catch {
      // All of it is undone, for something that one of them may be too much for: a disk that is nearly full.
      await this.#oneByOne(group);
    }
  }

  /** Keeps the thread no longer at a time than a group does. What is asked for meanwhile comes after it. */
  async #oneByOne(group: readonly Member[]): Promise<void> {
    this.#isSplit = true;
    let untilMs = performance.now() + groupMaxMs;
    for (const member of group) {
      if (performance.now() > untilMs) {
        await nextTurn();
        untilMs = performance.now() + groupMaxMs;
      }
      await goAlone(member);
    }
    this.#isSplit = false;
    if (this.#waiting.length > 0) this.#soon();
  }

  /** @returns the outcomes of as many as there was time for */
  async #together(group: readonly Member[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    await inTransaction(this.#db, async (transaction) => {
      const untilMs = performance.now() + groupMaxMs;
      for (const { work } of group) {
        if (performance.now() > untilMs) break;
        outcomes.push(await outcomeOf(transaction, work));
      }
      return outcomes;
    });
    return outcomes;
  }
}

async function goAlone({ alone, resolve, reject }: Member): Promise<void> {
  await alone().then(resolve, reject);
}

/** @throws what the database throws where it has rolled the whole transaction back */
async function outcomeOf(transaction: Kysely<Schema>, work: Work<unknown>): Promise<Outcome> {
  await transaction.executeQuery(savepoint);
  let outcome: Outcome;
  try {
    outcome = { result: await work(transaction) };
    if (outcome.result === undefined) await transaction.executeQuery(undo);
  } catch (error) {
    outcome = { error };
    await transaction.executeQuery(undo);
  }
  await transaction.executeQuery(release);
  return outcome;
}
