/**
 * Erases one user, wherever anything of theirs is: in the store, in the log and what it keeps on disk, in
 * progress. Readers are told as by any removal, so whoever reads what goes is shut out.
 *
 *   a conversation that the user owns      is deleted, with what others wrote in it
 *   a conversation of somebody else's      the user leaves it; what they sent there is emptied, and what
 *                                          was answered to it; the place in the history stays. Runs after
 *                                          it, whosever, were given it: their events go, their messages stay
 *
 * Each step may be repeated, and so may the whole, after a failure in the middle.
 */
import type { EventLog, Forgotten } from "../log/log.ts";
import { LangwireError } from "../protocol/errors.ts";
import type { Store } from "../store/store.ts";
import { finishDeletions } from "./deletions.ts";
import type { Runs } from "./runs.ts";

export interface UserErasure {
  readonly store: Store;
  readonly log: EventLog;
  readonly runs: Runs;
  /** Forgets the user in what only counts and notifies. */
  readonly forget: (userId: string) => Promise<void>;
}

/** What was erased: a conversation deleted, a membership ended, a run emptied. */
export interface Erased {
  readonly type: "conversation" | "membership" | "run";
  readonly conversationId: string;
  readonly runId?: string;
}

/**
 * The user may write on meanwhile: whoever erases somebody has seen to it that their tokens are refused.
 * @throws LangwireError STORE_UNAVAILABLE, or the log's connection's error: then not all of it is gone
 */
export async function* eraseUser(
  userId: string,
  erasure: UserErasure,
): AsyncGenerator<Erased, void> {
  const { administration, conversations, deletions } = erasure.store;
  const { runs, log, store } = erasure;
  const forgotten: Forgotten[] = [];
  try {
    for await (const { conversationId, ownerId } of administration.conversationsOf(userId)) {
      if (ownerId === userId) {
        await endRunning(conversationId, userId, erasure);
        forgotten.push({ conversationId });
        const deleted = await administration.delete(conversationId);
        if (deleted?.runningRunId !== undefined) runs.stop(deleted.runningRunId);
      } else await conversations.leave(conversationId, userId);
      // Nobody is named: the notice stays for a while.
      await runs.membersChanged(conversationId, ownerId === userId ? undefined : []);
      if (ownerId === userId) await deletions.finish(conversationId);
      yield { type: ownerId === userId ? "conversation" : "membership", conversationId };
    }
    for await (const run of administration.runsOf(userId)) {
      const { runId, conversationId } = run;
      const conversation = await administration.conversation(conversationId);
      if (conversation === undefined) continue;
      const { ownerId } = conversation;
      await endRunning(conversationId, ownerId, erasure);
      const endSeq = run.endSeq ?? (await store.runs.get(runId, ownerId))?.endSeq;
      if (endSeq === undefined) {
        // Deleted meanwhile, with all that was in it.
        if ((await administration.conversation(conversationId)) === undefined) continue;
        // Its ending is not stored yet, which would write what it said once more.
        throw new LangwireError("STORE_UNAVAILABLE");
      }
      forgotten.push({ conversationId, through: await conversations.lastSeq(conversationId) });
      const unarchived = [...(await administration.redact(runId))];
      // One that began in between was given what is erased: its events have it.
      if (await endRunning(conversationId, ownerId, erasure)) {
        unarchived.push(...(await administration.redact(runId)));
      }
      for (const gone of unarchived) runs.archiveDeleted(gone);
      // And the events of what began in between.
      forgotten.push({ conversationId, through: await conversations.lastSeq(conversationId) });
      yield { type: "run", conversationId, runId };
    }
    // Also what was deleted before, whosever it is: nobody's name is on it any more.
    await finishDeletions(erasure.store);
    await administration.redactLeftovers(userId);
    await erasure.forget(userId);
  } finally {
    // Also where it breaks off: a second try no longer finds these, though the store may have done what failed.
    await log.forget(forgotten);
  }
}

/** @returns whether one was in progress */
async function endRunning(
  conversationId: string,
  ownerId: string,
  { store, runs }: UserErasure,
): Promise<boolean> {
  const running = await store.runs.running(conversationId);
  if (running === undefined) return false;
  await runs.cancel({ userId: ownerId }, running.runId).catch(unlessMissing);
  return true;
}

/** It was deleted meanwhile. */
function unlessMissing(cause: unknown): void {
  if (!(cause instanceof LangwireError) || cause.code !== "NOT_FOUND") throw cause;
}
