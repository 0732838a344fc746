/**
 * Gets endings into the store. A run's ending waits for a store that is away, but not for ever: past
 * the limit the run ends as STORE_UNAVAILABLE, and that ending is written when the store is back.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { EventLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Run, Store } from "../../store/store.ts";
import type { RunObserver } from "../observer.ts";
import type { RunEnding } from "./live-run.ts";
import type { StoreWatch } from "./store-watch.ts";

export class Finalizer implements AsyncDisposable {
  readonly #store: Store;
  readonly #log: Pick<EventLog, "healthy">;
  readonly #watch: StoreWatch;
  readonly #timeoutMs: number;
  readonly #observer: RunObserver;
  readonly #hurry = new AbortController();
  /** Finalizer that readers were told and the store was not, by run. */
  readonly #late = new Map<string, () => Promise<unknown>>();
  #writingLate: Promise<void> | undefined;
  #closed = false;

  constructor(options: {
    store: Store;
    log: Pick<EventLog, "healthy">;
    watch: StoreWatch;
    timeoutMs: number;
    observer: RunObserver;
  }) {
    this.#store = options.store;
    this.#log = options.log;
    this.#watch = options.watch;
    this.#timeoutMs = options.timeoutMs;
    this.#observer = options.observer;
  }

  /** @returns the ending that readers are told: another one when the run had been ended before */
  async store(run: Run, ending: RunEnding, endSeq: number, endedAt: string): Promise<RunEnding> {
    const deadlineMs = performance.now() + this.#timeoutMs;
    // Where the log's storage fails, the store may be on the same disk. Finalizer come in crowds, and
    // each try at a locked database holds the thread.
    if (this.#watch.away || !this.#log.healthy) await this.#backOrGivenUp(this.#timeoutMs);
    for (;;) {
      try {
        return await this.#finish(run, ending, endSeq, endedAt);
      } catch (cause) {
        const leftMs = deadlineMs - performance.now();
        if (leftMs <= 0 || this.#hurry.signal.aborted) {
          this.#observer.failed?.("a run's ending could not be stored", cause);
          const { text, usage, providerCalls, firstTokenMs } = ending;
          const error = new LangwireError("STORE_UNAVAILABLE").toFailure();
          const known = { text, usage, providerCalls, firstTokenMs };
          const late = { status: "failed", error, ...known } as const;
          this.#toBeLate(run, late, endSeq, endedAt);
          return late;
        }
        await this.#backOrGivenUp(leftMs);
      }
    }
  }

  /** Ends a run that was claimed and could not be started; the caller is told by the error itself. */
  async abandon(run: Run, cause: unknown): Promise<void> {
    this.#observer.failed?.("a run could not be started", cause);
    const error = new LangwireError("STORE_UNAVAILABLE").toFailure();
    const ending = { status: "failed", text: "", error, providerCalls: 0 } as const;
    this.#toBeLate(run, ending, run.firstSeq + 1, new Date().toISOString());
    await this.settle(run.runId).catch(() => {});
  }

  /** Writes an ending that came too late for its readers, if there is one. It may fail again. */
  async settle(runId: string): Promise<void> {
    const write = this.#late.get(runId);
    if (write === undefined) return;
    await write();
    this.#late.delete(runId);
  }

  /** Nothing waits for the store any more: there is one try left for each ending. */
  hurry(): void {
    this.#hurry.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.hurry();
    await this.#tryLate();
  }

  async #finish(run: Run, end: RunEnding, endSeq: number, endedAt: string): Promise<RunEnding> {
    const { status, text, usage, error, providerCalls } = end;
    const { runId } = run;
    const stored = await this.#store.runs.finish({
      runId,
      status,
      text,
      usage,
      error,
      providerCalls,
      endSeq,
      endedAt,
    });
    if (stored.finished || stored.run === undefined || stored.run.status === "running") return end;
    return {
      ...end,
      status: stored.run.status,
      text: stored.run.text ?? "",
      usage: stored.run.usage,
      error: stored.run.error,
    };
  }

  #toBeLate(run: Run, ending: RunEnding, endSeq: number, endedAt: string): void {
    this.#late.set(run.runId, () => this.#finish(run, ending, endSeq, endedAt));
    this.#writingLate ??= this.#writeLate();
  }

  async #backOrGivenUp(leftMs: number): Promise<void> {
    const waited = new AbortController();
    const signal = AbortSignal.any([waited.signal, this.#hurry.signal]);
    await Promise.race([this.#watch.back(), delay(leftMs, undefined, { signal }).catch(() => {})]);
    waited.abort();
  }

  async #writeLate(): Promise<void> {
    while (this.#late.size > 0 && !this.#closed) {
      await this.#watch.back();
      await this.#tryLate();
    }
    this.#writingLate = undefined;
  }

  async #tryLate(): Promise<void> {
    for (const runId of [...this.#late.keys()]) {
      try {
        await this.settle(runId);
      } catch {
        // The store is away again, or still.
        return;
      }
    }
  }
}
