/**
 * Stores endings. An ending, once decided, is final: the same one is written again until the store has
 * it, and readers receive no other. A write whose answer did not come may still be carried out, so a
 * retry must write the same.
 *
 * While the store is away, readers wait for the ending until a deadline; past it they receive it, and
 * it is stored when the store is back. They do not wait where another process reaches the store: soon
 * nobody can prove here that they may read. If this process is gone by the time that the store is back,
 * or its lease has run out, the process that ends the run finds the ending in the log (unattended.ts).
 */

import type { CompressedEvents } from "../../log/archive/run-archive.ts";
import type { EventLog } from "../../log/log.ts";
import { LangwireError } from "../../protocol/errors.ts";
import { storable } from "../../store/queries/text.ts";
import type { Store } from "../../store/store.ts";
import { orAborted } from "../../time/or-aborted.ts";
import { within } from "../../time/within.ts";
import type { Archiver } from "../archives/archiver.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { finishRun } from "../finish-run.ts";
import { forgetDeleted } from "../forget-deleted.ts";
import type { RunObserver } from "../observer.ts";
import type { RunEnding } from "../run-events.ts";
import type { EndInLog } from "./live-run.ts";
import { type BegunRun, lostFailure, restoreLost } from "./lost-runs.ts";
import { isStoreAway, type StoreWatch } from "./store-watch.ts";

/** How long a shutdown waits for a store that does not answer. */
const lastTryMs = 1_000;

export interface FinalizerOptions {
  readonly store: Pick<Store, "runs">;
  readonly log: Pick<EventLog, "healthy" | "forget">;
  readonly watch: StoreWatch;
  /** The deadline for storing an ending, while its readers wait. */
  readonly timeoutMs: number;
  readonly observer: RunObserver;
  readonly archiver: Archiver;
  /** The other processes, if there may be any. */
  readonly cluster: Pick<Cluster, "storeElsewhere" | "onStoreElsewhere"> | undefined;
}

/** How a run ended, with the number of its event in the log. */
interface NumberedEnding extends BegunRun {
  readonly ending: RunEnding;
  /** The number of its `runEnd`. */
  readonly endSeq: number;
  readonly endedAt: string;
  readonly archive?: CompressedEvents | undefined;
}

export class Finalizer implements AsyncDisposable {
  readonly #options: FinalizerOptions;
  readonly #hurry = new AbortController();
  readonly #lastTryOver = new AbortController();
  /** Aborted, and replaced, when the store is found to be out of reach here and not elsewhere. */
  #elsewhere = new AbortController();
  /** By run: endings that readers have received and the store has not. */
  readonly #late = new Map<string, NumberedEnding>();
  #writingLate: Promise<void> | undefined;
  #closed = false;

  constructor(options: FinalizerOptions) {
    this.#options = options;
    options.cluster?.onStoreElsewhere(() => {
      this.#elsewhere.abort(new LangwireError("STORE_UNAVAILABLE"));
      this.#elsewhere = new AbortController();
    });
  }

  /** Whether the run has ended here, and its ending is not stored yet. */
  holds(runId: string): boolean {
    return this.#late.has(runId);
  }

  /** @returns the ending that readers receive: the stored one, when the run had been ended before */
  async store(begun: BegunRun, ended: RunEnding, end: EndInLog): Promise<RunEnding> {
    const { log, watch, timeoutMs, observer, archiver } = this.#options;
    const { endSeq, endedAt, entries } = end;
    // What readers receive and what the history has is the same text.
    const decided = { ...ended, text: storable(ended.text) };
    let archive = await archiver.archive(begun.run, entries(), { ...decided, endSeq, endedAt });
    const deadlineMs = performance.now() + timeoutMs;
    // Where the log's storage fails, the store may be on the same disk. Endings come in crowds, and
    // each try at a locked database holds the thread.
    if (watch.away || !log.healthy) await this.#untilBack(timeoutMs);
    for (let ending: RunEnding = decided; ; ) {
      const numbered = { ...begun, ending, endSeq, endedAt, archive };
      try {
        return await this.#finish(numbered);
      } catch (cause) {
        if (!isStoreAway(cause)) {
          // The store refuses this ending itself, so a retry will not do. No reader has received it
          // yet: the run fails instead.
          observer.failed?.("the store refused a run's ending", cause);
          if (ending !== decided) return this.#toBeLate(numbered);
          const { usage, providerCalls, firstTokenMs } = decided;
          const error = new LangwireError("INTERNAL").toFailure();
          ending = { status: "failed", text: "", error, usage, providerCalls, firstTokenMs, cause };
          // It says that the run ended otherwise.
          archive = undefined;
          continue;
        }
        const leftMs = deadlineMs - performance.now();
        const { storeElsewhere = false } = this.#options.cluster ?? {};
        if (leftMs <= 0 || storeElsewhere || this.#hurry.signal.aborted) {
          observer.failed?.("a run's ending could not be stored in time", cause);
          return this.#toBeLate(numbered);
        }
        await this.#untilBack(leftMs);
      }
    }
  }

  /** Ends a run that was claimed and could not be started. No reader follows it: the caller gets `cause`. */
  async abandon(begun: BegunRun, cause: unknown): Promise<void> {
    const { run } = begun;
    this.#options.observer.failed?.("a run could not be started", cause);
    const error = new LangwireError("STORE_UNAVAILABLE").toFailure();
    const ending = { status: "failed", text: "", error } as const;
    const endedAt = new Date().toISOString();
    this.#toBeLate({ ...begun, ending, endSeq: run.firstSeq + 1, endedAt });
    await this.settle(run.runId).catch(() => {});
  }

  /** Before a run is claimed there: of one whose ending is not stored, the store may have lost the claim. */
  async settleIn(conversationId: string): Promise<void> {
    for (const { run } of [...this.#late.values()]) {
      if (run.conversationId === conversationId) await this.settle(run.runId);
    }
  }

  /** Stores the run's late ending, if it has one. @throws LangwireError STORE_UNAVAILABLE */
  async settle(runId: string): Promise<void> {
    const numbered = this.#late.get(runId);
    if (numbered === undefined) return;
    await this.#finish(numbered);
    this.#late.delete(runId);
  }

  /** For the shutdown: ends the waiting for the store, and leaves each ending one short try. */
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

  async #finish(numbered: NumberedEnding): Promise<RunEnding> {
    const { run, ending, endSeq, endedAt, archive } = numbered;
    const { status, text, output, usage, error, providerCalls, partsOf, modelMessages } = ending;
    const { runId } = run;
    const facts = { runId, status, text, output, usage, error, providerCalls, endSeq, endedAt };
    const answer = finishRun(
      { ...facts, parts: partsOf?.(text), modelMessages, archive },
      this.#options,
    );
    const givenUp = AbortSignal.any([this.#lastTryOver.signal, this.#elsewhere.signal]);
    const stored = await orAborted(answer, givenUp);
    if (stored.run === undefined) return await this.#finishLost(numbered);
    if (stored.finished) {
      return { ...ending, archivedBytes: stored.archived ? archive?.events.byteLength : undefined };
    }
    if (stored.run.status === "running") return ending;
    return {
      ...ending,
      status: stored.run.status,
      text: stored.run.text ?? "",
      output: stored.run.output,
      usage: stored.run.usage,
      error: stored.run.error,
    };
  }

  /** The store does not have the run: its conversation was deleted, or the database has lost it. */
  async #finishLost(numbered: NumberedEnding): Promise<RunEnding> {
    const { store, observer } = this.#options;
    const { run, ending } = numbered;
    switch (await restoreLost(numbered, { store, observer })) {
      case "restored":
      case "present":
        return await this.#finish(numbered);
      case "deleted":
        // What it has said is nobody's to keep.
        forgetDeleted(run.conversationId, this.#options);
        return ending;
      case "superseded":
        return { ...ending, status: "failed", error: lostFailure().toFailure() };
    }
  }

  #toBeLate(numbered: NumberedEnding): RunEnding {
    this.#late.set(numbered.run.runId, numbered);
    this.#writingLate ??= this.#writeLate();
    return numbered.ending;
  }

  async #untilBack(ms: number): Promise<void> {
    const over = AbortSignal.any([this.#hurry.signal, this.#elsewhere.signal]);
    const back = orAborted(this.#options.watch.back(), over);
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

  /** Stores the late endings one by one: one that the store refuses does not block the others. */
  async #tryLate(): Promise<void> {
    for (const runId of [...this.#late.keys()]) {
      try {
        await this.settle(runId);
      } catch (cause) {
        // The store is away, so the rest would fail as well.
        if (isStoreAway(cause)) return;
        // Given up here: the run is unattended from now on, and `reconcile` ends it.
        this.#options.observer.failed?.("the store refused a run's ending", cause);
        this.#late.delete(runId);
      }
    }
  }
}
