/**
 * What a reader to whom nothing has come for a while may be missing: the store knows how a run ended,
 * and the log may never tell it. Only where the log is written by another process and kept by storage
 * of its own, which may lose what it had.
 */
import type { LogEntry } from "../../log/entry.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Store } from "../../store/store.ts";
import { backfillEntries, endAfter } from "./backfill.ts";

export interface LookAgainOptions {
  readonly store: Store;
  readonly userId: string;
  readonly conversationId: string;
  /** Of this run alone; otherwise of all. */
  readonly runId?: string | undefined;
  /** Rises whenever the log may not have heard everything. */
  readonly interruptions: () => number;
}

type Look = (after: number) => Promise<readonly LogEntry[]>;

/** @returns to be asked again and again: the entries to go on with, if the log does not tell them */
export function lookAgain(options: LookAgainOptions): Look {
  const { runId } = options;
  const find = runId === undefined ? endsOfAll(options) : endOf(runId, options);
  let knownAt: number | undefined;
  return async (after) => {
    const known = await find(after).catch(orAway);
    if (known === "away") return [];
    // The log, which has what comes before the end too, is given the same time once more.
    const late = knownAt === after;
    const last = known.at(-1);
    knownAt = late ? last?.seq : last && after;
    return late ? known : [];
  };
}

function endOf(runId: string, { store, userId }: LookAgainOptions): Look {
  return async (after) => {
    const run = await store.runs.get(runId, userId);
    if (run === undefined) throw new LangwireError("NOT_FOUND");
    return endAfter(run, after);
  };
}

/**
 * Most who watch, watch a conversation in which nothing happens. Whoever was found to miss nothing
 * there would have heard of a run since, unless the log was interrupted: the store is spared.
 */
function endsOfAll({ store, userId, conversationId, interruptions }: LookAgainOptions): Look {
  let quiet: { readonly after: number; readonly interruptions: number } | undefined;
  return async (after) => {
    const now = { after, interruptions: interruptions() };
    if (quiet?.after === after && quiet.interruptions === now.interruptions) return [];
    quiet = undefined;
    const member = await store.conversations.isMember(conversationId, userId);
    if (!member) throw new LangwireError("NOT_FOUND");
    // First: a run that ends in between is found below.
    const running = await store.runs.running(conversationId);
    const known = await backfillEntries(store, conversationId, after);
    if (running === undefined && known.length === 0) quiet = now;
    return known;
  };
}

/** A reader who waits goes on waiting while the store is away. */
function orAway(cause: unknown): "away" {
  if (cause instanceof LangwireError && cause.code === "STORE_UNAVAILABLE") return "away";
  throw cause;
}
