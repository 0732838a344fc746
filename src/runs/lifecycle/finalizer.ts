/**
 * Gets endings into the store. An ending, once decided, is how the run has ended: it is written again
 * as it is until the store has it, and nobody is told another. A write whose answer did not come may
 * yet be carried out, so only the same one may follow it.
 *
 * While the store is away, readers wait for the end, but not for ever: past the limit they are told,
 * and the store hears of it when it is back. If this process is gone by then, whoever ends the run
 * finds the end in the log (unattended.ts).
 */

import type { EventLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Run, Store } from "../../store/store.ts";
import { orAborted } from "../../time/or-aborted.ts";
import { within } from "../../time/within.ts";
import type { RunObserver } from "../observer.ts";
import type { RunEnding } from "./live-run.ts";
import type { StoreWatch } from "./store-watch.ts";

/** How long a store that stands still holds up a process that leaves. */
const lastTryMs = 1_000;

export interface FinalizerOptions {
  readonly store: Pick<Store, "runs">;
  readonly log: Pick<EventLog, "healthy">;
  readonly watch: StoreWatch;
  /** How long readers wait for an ending that the store does not take. */
  readonly timeoutMs: number;
  readonly observer: RunObserver;
}

/** How a run ended, and where in the log. */
interface PlacedEnding {
  readonly run: Run;
  readonly ending: RunEnding;
  /** The number of its `runEnd`. */
  readonly endSeq: number;
  readonly endedAt: string;
}

export class Finalizer implements AsyncDisposable {
  readonly #options: FinalizerOptions;
  readonly #hurry = new AbortController();
  readonly #lastTryOver = new AbortController();
  /** Endings that readers were told and the store was not, by run. */
  readonly #late = new Map<string, PlacedEnding>();
  #writingLate: Promise<void> | undefined;
  #closed = false;

  constructor(options: FinalizerOptions) {
    this.#options = options;
  }

  /** Whether the run has ended here, and the store has not heard of it yet. */
  holds(runId: string): boolean {
    return this.#late.has(runId);
  }

  /** @returns the ending that readers are told: another one when the run had been ended before */
  async store(run: Run, decided: RunEnding, endSeq: number, endedAt: string): Promise<RunEnding> {
    const { log, watch, timeoutMs, observer } = this.#options;
    const deadlineMs = performance.now() + timeoutMs;
    // Where the log's storage fails, the store may be on the same disk. Endings come in crowds, and
    // each try at a locked database holds the thread.
    if (watch.away || !log.healthy) await this.#untilBack(timeoutMs);
    for (let ending = decided; ; ) {
      const placed = { run, ending, endSeq, endedAt };
      try {
        return await this.#finish(placed);
      } catch (cause) {
        if (!isAway(cause)) {
          // Refused for what it is, which no waiting changes: nobody was told of it yet.
          observer.failed?.("the store refused a run's ending", cause);
          if (ending !== decided) return this.#toBeLate(placed);
          const { usage, providerCalls, firstTokenMs } = decided;
          const error = new LangwireError("INTERNAL").toFailure();
          ending = { status: "failed", text: "", error, usage, providerCalls, firstTokenMs, cause };
          continue;
        }
        const leftMs = deadlineMs - performance.now();
        if (leftMs <= 0 || this.#hurry.signal.aborted) {
          observer.failed?.("a run's ending could not be stored in time", cause);
          return this.#toBeLate(placed);
        }
        await this.#untilBack(leftMs);
      }
    }
  }

  /** Ends a run that was claimed and could not be started; the caller is told by the error itself. */
  async abandon(run: Run, cause: unknown): Promise<void> {
    this.#options.observer.failed?.("a run could not be started", cause);
    const error = new LangwireError("STORE_UNAVAILABLE").toFailure();
    const ending = { status: "failed", text: "", error, providerCalls: 0 } as const;
    const endedAt = new Date().toISOString();
    this.#toBeLate({ run, ending, endSeq: run.firstSeq + 1, endedAt });
    await this.settle(run.runId).catch(() => {});
  }

  /** Writes an ending that came too late for its readers, if there is one. It may fail again. */
  async settle(runId: string): Promise<void> {
    const placed = this.#late.get(runId);
    if (placed === undefined) return;
    await this.#finish(placed);
    this.#late.delete(runId);
  }

  /** Nothing waits for the store any more: there is one try left for each ending, a short one. */
  hurry(): void {
    if (this.#hurry.signal.aborted) return;
    this.#hurry.abort();
    const away = new LangwireError("STORE_UNAVAILABLE");
    setTimeout(() => this.#lastTryOver.abort(away), lastTryMs).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.hurry();
    await this.#tryLate();
  }

  async #finish({ run, ending, endSeq, endedAt }: PlacedEnding): Promise<RunEnding> {
    const { status, text, usage, error, providerCalls } = ending;
    const { runId } = run;
    const answer = this.#options.store.runs.finish({
      runId,
      status,
      text,
      usage,
      error,
      providerCalls,
      endSeq,
      endedAt,
    });
    const stored = await orAborted(answer, this.#lastTryOver.signal);
    if (stored.finished || stored.run === undefined || stored.run.status === "running") {
      return ending;
    }
    return {
      ...ending,
      status: stored.run.status,
      text: stored.run.text ?? "",
      usage: stored.run.usage,
      error: stored.run.error,
    };
  }

  #toBeLate(placed: PlacedEnding): RunEnding {
    this.#late.set(placed.run.runId, placed);
    this.#writingLate ??= this.#writeLate();
    return placed.ending;
  }

  async #untilBack(ms: number): Promise<void> {
    const back = orAborted(this.#options.watch.back(), this.#hurry.signal);
    await within(
      back.catch(() => {}),
      ms,
    );
  }

  async #writeLate(): Promise<void> {
    while (this.#late.size > 0 && !this.#closed) {
      await this.#options.watch.back();
      await this.#tryLate();
    }
    this.#writingLate = undefined;
  }

  /** Each by itself: one that the store refuses holds up none of the others. */
  async #tryLate(): Promise<void> {
    for (const runId of [...this.#late.keys()]) {
      try {
        await this.settle(runId);
      } catch (cause) {
        // The store is away again, or still.
        if (isAway(cause)) return;
        // The run is still in progress there, and nobody works on it: the sweep goes on with it.
        this.#options.observer.failed?.("the store refused a run's ending", cause);
        this.#late.delete(runId);
      }
    }
  }
}

function isAway(cause: unknown): boolean {
  return cause instanceof LangwireError && cause.code === "STORE_UNAVAILABLE";
}
