/**
 * What processes need to work as a cluster, besides the store and the log that they share. This folder
 * knows no service that does it; `src/open` brings one.
 */
export interface Coordination {
  /** Names this process: it differs from every other's, and from that of the process before it. */
  readonly nodeId: string;
  /**
   * Takes this process's lease, and renews it until it is disposed of, as long as the process can do
   * its work. @throws without connection
   */
  takeLease(options: LeaseOptions): Promise<NodeLease>;
  /** Joins the broadcast of all processes. @throws without connection */
  openBroadcast(onMessage: (message: string) => void): Promise<Broadcast>;
}

export interface LeaseOptions {
  /** Asked before each renewal. Never rejects. */
  readonly isAble: () => Promise<boolean>;
  readonly onRenewed: (renewal: Renewal) => void;
}

export interface Renewal {
  /** The lease had run out: others may have taken this process for gone. */
  readonly lapsed: boolean;
  /** It is this process's turn to look for those that are gone. */
  readonly reaper: boolean;
}

/** By which the others know that this process is alive. Disposing of it gives it back. */
export interface NodeLease extends AsyncDisposable {
  /** False when others may take this process for gone. */
  readonly held: boolean;
  /**
   * Whether another process has just renewed its lease, within `withinMs` at the most, and so could do
   * its work then. @throws without connection
   */
  othersRenew(withinMs: number): Promise<boolean>;
  /** Renews it now. @throws without connection */
  renew(): Promise<void>;
  /** Undefined when this process may not call anybody gone. @throws without connection */
  census(): Promise<Census | undefined>;
  /**
   * Removes the lease of a process that is gone.
   * @returns false when it has renewed it since
   * @throws without connection
   */
  clear(nodeId: string): Promise<boolean>;
}

export interface Census {
  readonly alive: ReadonlySet<string>;
  /** Those whose leases ran out and have not been cleared yet. */
  readonly gone: readonly string[];
}

/** Messages from any process to all of them, its own too. One may be late, or lost after a long time. */
export interface Broadcast extends AsyncDisposable {
  /** Returns at once; the message is sent as soon as that is possible. */
  publish(message: string): void;
  /** Reads what has come, for messages of which no notification arrived. Never throws. */
  receive(): Promise<void>;
  /** Removes messages that are still kept. @throws without connection */
  remove(matches: (message: string) => boolean): Promise<void>;
}
