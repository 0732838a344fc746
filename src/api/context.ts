/** What the procedures need to know of a connection. */
import type { Caller } from "../runs/caller.ts";
import type { Pacer } from "../runs/following/pacer.ts";

/**
 * Settles when a call that is no subscription may be worked on.
 * @returns called once with its answer, undefined where it failed
 * @throws LangwireError when it is not worked on
 */
export type EnterCall = (type: "query" | "mutation") => Promise<(answer: unknown) => void>;

/** A connection's side of the router: who is there, and how much it can take. */
export interface Connection {
  readonly caller: Caller;
  readonly pacer?: Pacer | undefined;
  /**
   * Counts one more subscription on this connection.
   * @returns gives it back
   * @throws LangwireError RATE_LIMITED when there are too many
   */
  readonly openSubscription?: () => () => void;
  /** Where calls that come together are worked off in turn. Default: at once. */
  readonly enterCall?: EnterCall;
}
