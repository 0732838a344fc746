/**
 * At boot: ends the runs that an earlier process left behind. Their readers get the events so far and
 * then the end. Where the journal takes longer to read than a server should take to be ready, this goes
 * on in the background: new runs are taken meanwhile, and the old ones are not yet unattended.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { EventLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Run, Store } from "../../store/store.ts";
import { within } from "../../time/within.ts";
import type { Archiver } from "../archives/archiver.ts";
import type { ShieldedObserver } from "../observer.ts";
import { isStoreAway } from "./store-watch.ts";
import { appendEnd, endUnattendedHere } from "./unattended.ts";

export interface RecoveryOptions {
  readonly store: Store;
  readonly log: EventLog;
  readonly observer: ShieldedObserver;
  readonly archiver: Archiver;
}

/** How long a boot waits for recovery before it takes runs. */
const beforeReadyMs = 1_000;
const retryMs = 1_000;

export class Recovery implements AsyncDisposable {
  readonly #options: RecoveryOptions;
  readonly #closing = new AbortController();
  /** The runs that are still to be ended. */
  readonly #pending = new Map<string, PromiseWithResolvers<void>>();
  #work: Promise<void> = Promise.resolve();

  private constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /**
   * Settles when all is ended, or goes on in the background.
   * @throws LangwireError STORE_UNAVAILABLE
   */
  static async start(options: RecoveryOptions): Promise<Recovery> {
    const recovery = new Recovery(options);
    const left = await options.store.runs.unfinished();
    for (const { runId } of left) recovery.#pending.set(runId, Promise.withResolvers());
    const first = recovery.#recover(left);
    recovery.#work = first.catch((cause: unknown) => recovery.#again(cause));
    await within(first, beforeReadyMs);
    return recovery;
  }

  /** Whether the run is still to be ended. */
  has(runId: string): boolean {
    return this.#pending.has(runId);
  }

  /** Settles when recovery has ended the run: at once where it was not left behind. */
  async ended(runId: string): Promise<void> {
    await this.#pending.get(runId)?.promise;
  }

  /** What is not ended yet is left for the next boot. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#work;
    for (const runId of [...this.#pending.keys()]) this.#settle(runId);
  }

  async #recover(runs: readonly Run[]): Promise<void> {
    const { store, log, observer, archiver } = this.#options;
    const { mayLackEvents } = log;
    const error = new LangwireError("SERVER_RESTARTED");
    for await (const run of log.recover?.(runs, this.#closing.signal) ?? runs) {
      const options = { store, log, error, archiver, observer, mayLackEvents };
      await endUnattendedHere(run, options).catch((cause: unknown) => {
        if (isStoreAway(cause)) throw cause;
        // A run that cannot be ended must not stop the recovery of the others, nor the boot.
        observer.failed("a run of an earlier process could not be ended", cause);
      });
      this.#settle(run.runId);
    }
    // Endings are stored before they are appended: a crash in between leaves the log without a runEnd.
    for (const { conversationId, runId, lastSeq } of await log.leftBehind()) {
      const [run] = await store.runs.endedBetween(conversationId, lastSeq, 1);
      if (run?.runId !== runId || run.endSeq === undefined) continue;
      await appendEnd(await log.open({ conversationId, runId, after: run.endSeq - 1 }), run);
    }
  }

  async #again(cause: unknown): Promise<void> {
    const { signal } = this.#closing;
    for (let failure = cause; ; ) {
      if (signal.aborted) return;
      this.#options.observer.failed("runs of an earlier process could not be ended yet", failure);
      await delay(retryMs, undefined, { ref: false, signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        const left = await this.#options.store.runs.unfinished();
        return await this.#recover(left.filter(({ runId }) => this.has(runId)));
      } catch (error) {
        failure = error;
      }
    }
  }

  #settle(runId: string): void {
    this.#pending.get(runId)?.resolve();
    this.#pending.delete(runId);
  }
}
