/** What the procedures need to know of a connection. */
import type { LogEntry } from "../log/entry.ts";
import type { ChatEvent } from "../protocol/events.ts";
import type { Caller } from "../runs/caller.ts";
import type { Pacer } from "../runs/pacer.ts";

/** A connection's side of the router: who is there, and how much it can take. */
export interface Connection {
  readonly caller: Caller;
  readonly pacer?: Pacer | undefined;
  readonly outlet?: Outlet | undefined;
  /**
   * Counts one more subscription on this connection.
   * @returns gives it back
   * @throws LangwireError RATE_LIMITED when there are too many
   */
  readonly openSubscription?: () => () => void;
}

/**
 * A way to the caller past tRPC's iterator, whose promises for each event cost more than the event
 * does. tRPC still opens the call, and closes it.
 */
export interface Outlet {
  /**
   * A call's first event, which goes through tRPC.
   * @param opened told, once tRPC has named the call, what sends the others
   */
  first(entry: LogEntry, opened: (send: (entry: LogEntry) => void) => void): ChatEvent;
}

/** How an entry is handed to tRPC: as its event, or as something that its encoder knows. */
export type Present = (entry: LogEntry) => ChatEvent;
