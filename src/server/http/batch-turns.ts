/**
 * The calls of one HTTP request (a batch), begun one after another, each counted against the caller's
 * limits. Their answers stay in memory until the last one is there and was taken, so they have a limit.
 */
import type { EnterCall } from "../../api/context.ts";
import { LangwireError } from "../../protocol/errors.ts";
import { usedUp } from "../../runs/admission/used-up.ts";
import type { Holder } from "../pacing/stall-clock.ts";
import type { QuerySlot } from "../pacing/user-work.ts";
import type { WorkQueue } from "../pacing/work-queue.ts";
import { roughBytes } from "./rough-bytes.ts";

export interface BatchTurnsOptions {
  readonly work: WorkQueue;
  readonly userId: string;
  readonly holder: Holder;
}

/** Bytes of answers after which the rest of a request's calls are refused. */
export const maxBatchAnswerBytes = 4 * 1024 * 1024;

export class BatchTurns {
  readonly #options: BatchTurnsOptions;
  #last: Promise<void> = Promise.resolve();
  #slot: QuerySlot | undefined;
  #bytes = 0;
  #over = false;

  constructor(options: BatchTurnsOptions) {
    this.#options = options;
  }

  readonly enterCall: EnterCall = async (type) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = promise;
    let started: (() => void) | undefined;
    try {
      await before;
      if (type === "query") await this.#enter();
      else started = await this.#start();
    } catch (cause) {
      resolve();
      throw cause;
    }
    return (answer) => {
      started?.();
      const bytes = roughBytes(answer);
      this.#bytes += bytes;
      this.#options.work.charge(this.#options.userId, bytes);
      resolve();
    };
  };

  /** To be called when the answer was taken, or the caller has gone. */
  end(): void {
    this.#over = true;
    this.#slot?.release();
  }

  async #start(): Promise<() => void> {
    this.#checkBytes();
    const { work, userId } = this.#options;
    await work.pace(userId, { bounded: true });
    return await work.start(userId);
  }

  #checkBytes(): void {
    if (this.#bytes < maxBatchAnswerBytes) return;
    throw usedUp(
      {
        what: "bytes of answers to one request",
        max: maxBatchAnswerBytes,
        advice: "Ask in several.",
      },
      0,
    );
  }

  async #enter(): Promise<void> {
    this.#checkBytes();
    const { work, userId, holder } = this.#options;
    // Released while it waits for the next one, though its answers stay in memory: those are limited.
    this.#slot?.release();
    this.#slot = await work.enter(userId, holder, { bounded: true });
    if (!this.#over) return;
    this.#slot.release();
    throw new LangwireError("BAD_INPUT", { message: "Nobody waits for the answer any more." });
  }
}
