/** The context of every procedure. */
import type { Caller } from "../runs/caller.ts";
import type { Pacer } from "../runs/following/pacer.ts";

/**
 * Waits until a query or mutation may begin.
 * @returns called once with its answer, or with undefined where it failed
 * @throws LangwireError when the call is refused
 */
export type EnterCall = (type: "query" | "mutation") => Promise<(answer: unknown) => void>;

/** Who calls, and what of the caller's connection bounds the calls. */
export interface CallContext {
  readonly caller: Caller;
  readonly pacer?: Pacer | undefined;
  /**
   * Takes a slot for one more subscription on this connection.
   * @returns releases it
   * @throws LangwireError RATE_LIMITED when there are too many
   */
  readonly openSubscription?: () => () => void;
  /** Queues queries and mutations. Default: they begin at once. */
  readonly enterCall?: EnterCall;
}
