/**
 * The write lease of one run, in Redis: who may append to it. It is taken with a fencing token, and Redis
 * refuses what comes with another one than the run has (scripts.ts).
 *
 *   held ── Redis refuses ──▶ reclaimed, if the store has the run as this process's: held again
 *                 └────────▶ lost for good, if the store does not, or the run's end is in Redis
 *
 * Redis may come back without what it had last, and with it an earlier lease. So the store decides.
 */
import { LangwireError } from "../../protocol/errors.ts";
import type { RedisCommands } from "../../redis/connection.ts";
import { type ConversationKeys, closeScript, openScript } from "./run-scripts.ts";

export interface WriteLeaseOptions {
  readonly link: RedisCommands;
  readonly keys: ConversationKeys;
  readonly runId: string;
  /** The number of the last event before it. */
  readonly after: number;
  /** Names this process. */
  readonly fencingToken: string;
  readonly takeOver: boolean;
  readonly times: WriterTimes;
  /**
   * Whether the store has the run as this process's: in progress, or ended by nobody else. Rejects when
   * it cannot tell. Without it, Redis is believed.
   */
  readonly isOurs: (() => Promise<boolean>) | undefined;
}

export interface WriterTimes {
  /** How long an ended run stays readable. */
  readonly retentionMs: number;
  /** Bytes of a conversation's events, above which its oldest ended runs leave. */
  readonly maxConversationBytes: number;
  /** How long a run in progress stays in Redis after its last event: longer than any may be without one. */
  readonly liveMs: number;
  /** How long a run's events may be without an answer before the run counts as not stored. */
  readonly timeoutMs: number;
}

/** Redis knows nothing of the lease, has another process's, or has the run's end. */
export type Refusal = "lost" | "fenced" | "closed";

export class WriteLease {
  /** The number of the last event in the conversation's log when the lease was taken first. */
  readonly openedAfter: number;
  readonly #options: WriteLeaseOptions;
  /** Since when another process has had the lease, though the store has the run as this one's. */
  #fencedSinceMs: number | undefined;

  private constructor(options: WriteLeaseOptions, openedAfter: number) {
    this.#options = options;
    this.openedAfter = openedAfter;
  }

  /** @throws LangwireError OWNER_LOST when somebody else writes, STORE_UNAVAILABLE without Redis */
  static async take(options: WriteLeaseOptions): Promise<WriteLease> {
    const { how, lastSeq } = await openIn(options);
    if (how !== "opened") throw new LangwireError("OWNER_LOST", { cause: how });
    return new WriteLease(options, lastSeq);
  }

  /**
   * After Redis refused an append: takes the lease again where the run is still this process's.
   * @returns the number of the last event that Redis has; undefined where the run was taken over
   * @throws an error while that is not decided: to be tried again
   */
  async reclaim(refusal: Refusal): Promise<number | undefined> {
    if (!(await this.#mayGoOn(refusal))) return undefined;
    const takeOver = this.#mayTakeOver;
    const { how, lastSeq } = await openIn({ ...this.#options, after: this.openedAfter, takeOver });
    switch (how) {
      case "opened":
        this.#fencedSinceMs = undefined;
        return lastSeq;
      case "closed":
        return undefined;
      case "fenced":
        // Somebody has taken it over, and is about to end it in the store.
        this.#fencedSinceMs ??= performance.now();
        throw new Error("The run was taken over, and has not been ended yet.");
    }
  }

  /**
   * The run is over: its events leave Redis after the retention time.
   * @param countedBytes those of its events that no append has counted
   */
  async giveBack(countedBytes: number): Promise<void> {
    const { link, keys, runId, fencingToken, times } = this.#options;
    const { retentionMs, maxConversationBytes } = times;
    await closeScript.run(
      link,
      [keys.events, keys.lease, keys.ended],
      [runId, fencingToken, retentionMs, maxConversationBytes, countedBytes],
    );
  }

  async #mayGoOn(refusal: Refusal): Promise<boolean> {
    const { takeOver, isOurs } = this.#options;
    // A process that takes a run over was told by the store to; of two, the later one has it.
    if (takeOver || isOurs === undefined) return refusal === "lost";
    return await isOurs();
  }

  /** A process that took it over and has not ended it after so long never will: it is taken back. */
  get #mayTakeOver(): boolean {
    const { takeOver, times } = this.#options;
    const sinceMs = this.#fencedSinceMs ?? Number.POSITIVE_INFINITY;
    return takeOver || performance.now() - sinceMs > times.timeoutMs / 2;
  }
}

async function openIn(options: WriteLeaseOptions) {
  const { link, keys, runId, fencingToken, after, takeOver, times } = options;
  const { liveMs, retentionMs, maxConversationBytes } = times;
  const [how, lastSeq] = await openScript.run(
    link,
    [keys.events, keys.lease, keys.ended],
    [runId, fencingToken, after, takeOver ? 1 : 0, liveMs, retentionMs, maxConversationBytes],
  );
  return { how, lastSeq };
}
