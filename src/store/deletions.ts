/**
 * What deleting a conversation leaves to be done. The deletion itself is one transaction, after which nobody
 * sees anything of the conversation; its runs, which may be of any size, are deleted after it, here.
 */

export interface Deletions {
  /** The deleted conversations of which something may be left: a crash, or an error, came in between. */
  unfinished(): Promise<string[]>;
  /**
   * Deletes what is left of a deleted conversation, a megabyte or so at a time, others being served in
   * between. Several may do it at once, and again. One that is not deleted is left alone.
   * @throws LangwireError STORE_UNAVAILABLE, or what `signal` was aborted with: then some is left
   */
  finish(conversationId: string, signal?: AbortSignal): Promise<void>;
}
