/** One thing that is measured, of several peers in turn. */
import type { PeerName } from "./peers.ts";

export type Mode = "quick" | "full";

/** What one sample found: numbers by name, in the units that the names say. */
export type Sample = Readonly<Record<string, number>>;

/** Of the command line, for measures that take as long as one likes. */
export interface SampleOptions {
  readonly minutes?: number | undefined;
  /** How many at once. */
  readonly runs?: number | undefined;
}

export interface Measure {
  readonly name: string;
  readonly peers: Readonly<Record<Mode, readonly PeerName[]>>;
  readonly rounds: Readonly<Record<Mode, number>>;
  readonly sample: (peer: PeerName, mode: Mode, options: SampleOptions) => Promise<Sample>;
}
