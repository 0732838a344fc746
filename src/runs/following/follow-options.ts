/** What a follower is given: where it stands, what it wants to have, and what it has to ask before each event. */
import type { EventLog } from "../../log/log.ts";
import type { Backfill } from "./backfill.ts";
import type { Follower } from "./follower.ts";
import type { Wanted } from "./log-cursor.ts";
import type { Pacer } from "./pacer.ts";

/** Where a reader stands and what it wants to have; with `runId`, it completes after its runEnd. */
export interface FollowOptions extends Wanted {
  readonly log: EventLog;
  readonly conversationId: string;
  /** The number of the last event that the reader has. */
  readonly after: number;
  /** Whether there are none to come. */
  readonly complete?: boolean;
  readonly backfill: Pick<Backfill, "acrossGap" | "afterSilence" | "isWithinArchive">;
  /** How long nothing comes before the store is asked; undefined where the log tells everything. */
  readonly silenceMs?: number | undefined;
  readonly pacer?: Pacer | undefined;
  /** Told now and then how long it took from the log's call until an event was handed over. */
  readonly onDelivered?: ((afterMs: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onClose?: (follower: Follower) => void;
}

/** By what a reader may read. An interface, since a function for each reader is two objects more on its way. */
export interface ReadPermit {
  /**
   * Asked before each event. Undefined when the reader may have it; else settles when that is known, and
   * rejects when it may not: the reader fails with it.
   */
  proof(): Promise<void> | undefined;
}
