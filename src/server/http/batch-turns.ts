/**
 * The calls of one HTTP request, worked off in turn, each counted for itself. What they answer is in
 * memory until the last one has, and then until it was taken, so together it has a bound.
 */
import type { EnterCall } from "../../api/context.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Holder } from "../pacing/stall-clock.ts";
import type { Turn } from "../pacing/user-work.ts";
import type { WorkQueue } from "../pacing/work-queue.ts";
import { roughBytes } from "./rough-bytes.ts";

export interface BatchTurnsOptions {
  readonly work: WorkQueue;
  readonly userId: string;
  readonly holder: Holder;
}

/** Bytes of answers after which a request has no more of them. */
export const maxBatchAnswerBytes = 4 * 1024 * 1024;

export class BatchTurns {
  readonly #options: BatchTurnsOptions;
  #last: Promise<void> = Promise.resolve();
  #turn: Turn | undefined;
  #bytes = 0;
  #over = false;

  constructor(options: BatchTurnsOptions) {
    this.#options = options;
  }

  readonly enterCall: EnterCall = async (type) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = promise;
    try {
      await before;
      await this.#enter(type);
    } catch (cause) {
      resolve();
      throw cause;
    }
    return (answer) => {
      const bytes = roughBytes(answer);
      this.#bytes += bytes;
      this.#options.work.charge(this.#options.userId, bytes);
      resolve();
    };
  };

  /** The answer was taken, or whoever asked has gone. */
  end(): void {
    this.#over = true;
    this.#turn?.leave();
  }

  async #enter(type: "query" | "mutation"): Promise<void> {
    if (this.#bytes >= maxBatchAnswerBytes) {
      const message = `One request is answered up to ${maxBatchAnswerBytes} bytes: ask in several.`;
      throw new LangwireError("RATE_LIMITED", { message, retryAfterMs: 0 });
    }
    const { work, userId, holder } = this.#options;
    if (type === "mutation") return work.pace(userId, { bounded: true });
    // What it has so far it goes on holding; that is bounded, and its next turn may take a while.
    this.#turn?.leave();
    this.#turn = await work.enter(userId, holder, { bounded: true });
    if (!this.#over) return;
    this.#turn.leave();
    throw new LangwireError("BAD_INPUT", { message: "Nobody waits for the answer any more." });
  }
}
