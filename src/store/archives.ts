/**
 * The events of runs that have ended, as `Runs.finish` was given them. They are deleted with their run's
 * conversation, and with what their user has sent.
 */

export interface Archives {
  /**
   * The pieces of a run's archive, in the order of their events; none where it has no archive (any more).
   * Whether the caller may read them is the caller's to check.
   */
  get(runId: string): Promise<ArchiveSegment[]>;
  /**
   * Which events of which conversations are archived, of the runs that ended since then; in no order.
   * @param endedAt an ISO string
   */
  since(endedAt: string): Promise<ArchivedEvents[]>;
  /**
   * Deletes the archives of runs that ended before that time, some at a time; the runs stay.
   * @param before an ISO string
   * @returns how many runs have lost theirs
   */
  prune(before: string, signal?: AbortSignal): Promise<number>;
}

export interface ArchivedEvents {
  readonly conversationId: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface ArchiveSegment {
  /** Of its first event and its last, as they were given out. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** How large the events are otherwise. */
  readonly rawBytes: number;
  /** Compressed. */
  readonly events: Uint8Array;
}
