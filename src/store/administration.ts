/** The operator's queries, over everybody's conversations. */
import type { Part } from "../protocol/parts.ts";
import type { Deleted, Run } from "./store.ts";

export interface Administration {
  /** Undefined when there is none, or it was deleted. */
  conversation(conversationId: string): Promise<StoredConversation | undefined>;
  /** Its members' ids, in their order; the owner is one of them. */
  members(conversationId: string): AsyncIterable<string>;
  /** Its runs, the oldest first, one in progress last. */
  runs(conversationId: string): AsyncIterable<Run>;
  /** What a run's answer is made of. Undefined while there is none. */
  parts(runId: string): Promise<Part[] | undefined>;
  /**
   * The conversations whose last activity was before that time and that have no run in progress, in no
   * particular order. Deleting them while this is read is harmless.
   * @param before an ISO string
   */
  inactive(before: string): AsyncIterable<StoredConversation>;
  /**
   * Deletes a conversation as its owner would.
   * @returns false when it does not exist, was active since `before`, or has a run in progress
   */
  deleteInactive(conversationId: string, before: string): Promise<boolean>;
  /** Deletes a conversation as its owner would. Undefined when it does not exist. */
  delete(conversationId: string): Promise<Deleted | undefined>;
  /** The conversations that a user is a member of, owned or not. Deleting them meanwhile is harmless. */
  conversationsOf(userId: string): AsyncIterable<StoredConversation>;
  /** What a user has sent, in whosever conversation, also where he is no member any more. */
  runsOf(userId: string): AsyncIterable<Run>;
  /**
   * Empties a run that has ended: who sent it, what was said, with its parts, its input and its output,
   * what its bot remembers of it, its events, and a title that was made of it. Its place in the
   * conversation stays, since its numbers must not be given out again. The archived events of what came
   * after it in the conversation go as well, and those of a run in progress there are not archived: models
   * were given what was said before.
   * @returns the runs whose archived events are gone
   */
  redact(runId: string): Promise<readonly string[]>;
  /**
   * Removes what versions before left behind: the user's name on conversations that were deleted, and of
   * every run that they have emptied, what they knew nothing of.
   */
  redactLeftovers(userId: string): Promise<void>;
}

export interface StoredConversation {
  readonly conversationId: string;
  readonly botId: string;
  readonly ownerId: string;
  readonly title: string;
  /** Whether others may join. */
  readonly shared: boolean;
  readonly createdAt: string;
  /** Its last activity: when its newest run began; until there is one, when it was created. */
  readonly updatedAt: string;
}
