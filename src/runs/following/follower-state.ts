/**
 * What a follower waits for, as a table without I/O. It is in one state at a time, an input takes it to
 * the next, and its action is that of the state that it comes into. `*` marks a state as unread: the log
 * may have more than was read.
 *
 * | state       | action                         | changed      | other inputs                              |
 * | ----------- | ------------------------------ | ------------ | ----------------------------------------- |
 * | ready       | delivers what was read         | ready*       | drained: idle; if unread, reading         |
 * |             |                                |              | busy: paced*, turnOver: yielding          |
 * | idle        | waits for the log              | ready*       | silence: checking                         |
 * | reading     | reads the log                  | reading*     | found: ready*, settled: ready             |
 * |             |                                |              | gap: backfilling                          |
 * | backfilling | asks the store across a gap    | backfilling* | found: ready*, settled: ready             |
 * | checking    | asks the store after silence   | ready*       | found: ready*, settled: ready             |
 * | paced       | waits until the socket drains  | paced*       | settled: ready                            |
 * | yielding    | lets others have their turn    | yielding*    | settled: ready                            |
 * | closed      | nothing, for good              | closed       |                                           |
 *
 * `close` leads from every state to closed. An input that a state has no place for changes nothing: a
 * timer that fires late begins no second wait.
 */

export type StateName =
  | "ready"
  | "idle"
  | "reading"
  | "backfilling"
  | "checking"
  | "paced"
  | "yielding"
  | "closed";

export type StateInput =
  /** The log may answer differently than before. */
  | "changed"
  /** Everything that was read has been delivered. */
  | "drained"
  /** The socket takes nothing more for now: what was read is dropped, to be read again. */
  | "busy"
  /** This follower has delivered as much in a row as it may. */
  | "turnOver"
  /** Nothing has come for a while. */
  | "silence"
  /** What the log has does not begin where the reader stands. */
  | "gap"
  /** A wait brought entries, and there may be more behind them. */
  | "found"
  /** A wait is over, and there is nothing behind what it brought, if it brought any. */
  | "settled"
  | "close";

/** A state and where each input leads from it: a step is two property reads, and makes no object. */
export interface FollowerState {
  readonly name: StateName;
  readonly unread: boolean;
  readonly on: Readonly<Record<StateInput, FollowerState>>;
}

/** Where the inputs lead, apart from `changed` on a wait that goes on, `drained` while unread and `close`. */
const table: Record<StateName, Partial<Record<StateInput, StateName>>> = {
  ready: { drained: "idle", busy: "paced", turnOver: "yielding" },
  idle: { changed: "ready", silence: "checking" },
  reading: { found: "ready", settled: "ready", gap: "backfilling" },
  backfilling: { found: "ready", settled: "ready" },
  checking: { changed: "ready", found: "ready", settled: "ready" },
  paced: { settled: "ready" },
  yielding: { settled: "ready" },
  closed: {},
};

export const stateInputs = [
  ...(["changed", "drained", "busy", "turnOver", "silence"] as const),
  ...(["gap", "found", "settled", "close"] as const),
] satisfies readonly StateInput[];

const states = new Map<string, FollowerState>();

function stateOf(name: StateName, unread: boolean): FollowerState {
  const key = unread ? `${name}*` : name;
  const known = states.get(key);
  if (known !== undefined) return known;
  const on: Partial<Record<StateInput, FollowerState>> = {};
  const state = { name, unread, on: on as Record<StateInput, FollowerState> };
  states.set(key, state);
  for (const input of stateInputs) on[input] = nextOf(state, input);
  return state;
}

function nextOf(state: FollowerState, input: StateInput): FollowerState {
  const { name, unread } = state;
  if (name === "closed") return state;
  if (input === "close") return stateOf("closed", false);
  const next = table[name][input];
  if (input === "changed") return stateOf(next ?? name, true);
  if (next === undefined) return state;
  switch (input) {
    case "drained":
      return stateOf(unread ? "reading" : next, false);
    case "found":
    case "busy":
      return stateOf(next, true);
    default:
      return stateOf(next, unread);
  }
}

/** A follower that has not read yet. */
export const initialState: FollowerState = stateOf("ready", true);
