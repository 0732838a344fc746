/** What the procedures need to know of a connection. */
import type { Caller } from "../runs/caller.ts";
import type { Pacer } from "../runs/following/pacer.ts";

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
}
