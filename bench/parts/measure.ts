/** One thing that is measured, of several peers in turn. */
import type { PeerName } from "./peers.ts";

export type Mode = "quick" | "full";

/** What one sample found: numbers by name, in the units that the names say. */
export type Sample = Readonly<Record<string, number>>;

export interface Measure {
  readonly name: string;
  readonly peers: Readonly<Record<Mode, readonly PeerName[]>>;
  readonly rounds: Readonly<Record<Mode, number>>;
  readonly sample: (peer: PeerName, mode: Mode) => Promise<Sample>;
}
