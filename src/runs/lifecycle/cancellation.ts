/**
 * Stops a run, on whichever process it is in progress, and waits for its end: for `cancel`, and for a
 * message that interrupts the run.
 */
import { setTimeout as delay } from "node:timers/promises";
import { LangwireError } from "../../protocol/errors.ts";
import type { RunStatus } from "../../protocol/events.ts";
import type { Run, Store } from "../../store/store.ts";
import type { Caller } from "../caller.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { RunEnding } from "../run-events.ts";

export interface CancellationOptions {
  readonly store: Store;
  readonly cluster: Cluster | undefined;
  /** Stops a run of this process. @returns how it ended; undefined when it is not in progress here */
  readonly cancelHere: (run: Run) => Promise<RunEnding | undefined>;
}

const retryAfterMs = 1_000;
/** How long it waits for another process's run. Longer than the lease: a dead owner's run is ended too. */
const timeoutMs = 30_000;
const firstPollMs = 25;
const maxPollMs = 500;

export class Cancellation {
  readonly #options: CancellationOptions;
  /** Runs of other processes that are being cancelled, by id: one poll for all who cancel the same. */
  readonly #waiting = new Map<string, Promise<RunStatus>>();

  constructor(options: CancellationOptions) {
    this.#options = options;
  }

  /**
   * @returns how the run ended, once it has
   * @throws LangwireError NOT_FOUND when it is none of a conversation that the caller is in
   */
  async cancel(caller: Caller, runId: string): Promise<{ runId: string; status: RunStatus }> {
    const run = await this.#find(caller, runId);
    const ended = await this.#options.cancelHere(run);
    const { status } = ended ?? (await this.#find(caller, runId));
    if (status !== "running") return { runId, status };
    return { runId, status: await this.#cancelElsewhere(caller, runId) };
  }

  async #find({ userId }: Caller, runId: string): Promise<Run> {
    const run = await this.#options.store.runs.get(runId, userId);
    if (run === undefined) throw new LangwireError("NOT_FOUND");
    return run;
  }

  #cancelElsewhere(caller: Caller, runId: string): Promise<RunStatus> {
    const waiting = this.#waiting.get(runId);
    if (waiting !== undefined) {
      // The shared poll asks as its first caller, who may have lost membership meanwhile.
      return waiting.catch((cause: unknown) => {
        if (!(cause instanceof LangwireError) || cause.code !== "NOT_FOUND") throw cause;
        return this.#cancelElsewhere(caller, runId);
      });
    }
    const ending = this.#waitForEnd(caller, runId).finally(() => this.#waiting.delete(runId));
    this.#waiting.set(runId, ending);
    return ending;
  }

  /** Asks the run's owner to stop it, and polls until the store has its ending. */
  async #waitForEnd(caller: Caller, runId: string): Promise<RunStatus> {
    const { cluster } = this.#options;
    if (cluster === undefined) throw new LangwireError("INTERNAL");
    cluster.publish({ type: "stop", runId });
    const deadlineMs = performance.now() + timeoutMs;
    for (let pollMs = firstPollMs; performance.now() < deadlineMs; ) {
      await delay(pollMs);
      const { status } = await this.#find(caller, runId);
      if (status !== "running") return status;
      pollMs = Math.min(2 * pollMs, maxPollMs);
    }
    throw new LangwireError("STORE_UNAVAILABLE", { retryAfterMs });
  }
}
