/**
 * What is stored for good: conversations, their members, and their runs, each with its human message,
 * its answer, and its events. The same contract on SQLite and Postgres, with these guarantees:
 *
 * - A run id is claimed once, and a conversation has one running run at most. Both are constraints
 *   of the database, so they hold between processes too.
 * - A run's events are numbered from `firstSeq` to `endSeq`. Runs of one conversation never share a
 *   number, and a later run's are higher.
 * - A run ends once; a second ending changes nothing, and gets the first one back.
 * - A conversation's id is never given out again after it was deleted, not to its owner either.
 * - What a caller may not see, and what does not exist, look the same.
 * - A call does all that it says or nothing. When the database cannot serve, the call throws
 *   STORE_UNAVAILABLE with the database's own error as `cause`, and the next call tries afresh. A
 *   write to a remote database may then still have happened; `claim` and `finish` may be repeated.
 * - Texts come back as they were written, but for what a database cannot hold: U+0000 and halves of
 *   surrogate pairs, which become U+FFFD. An id with such a character is refused as BAD_INPUT.
 *
 * Times are ISO strings.
 */
import type { Conversation, Message } from "../protocol/conversations.ts";
import type { Failure } from "../protocol/errors.ts";
import type { Json, RunStatus, Usage } from "../protocol/events.ts";
import type { Part } from "../protocol/parts.ts";
import type { Administration } from "./administration.ts";
import type { ArchiveSegment, Archives } from "./archives.ts";
import type { Deletions } from "./deletions.ts";

export interface Store extends AsyncDisposable {
  readonly conversations: Conversations;
  readonly runs: Runs;
  readonly archives: Archives;
  readonly deletions: Deletions;
  /** For the operator alone: it checks no membership. */
  readonly administration: Administration;
  /**
   * Settles when the database answers and may be written to. A full disk shows at the next write.
   * @throws LangwireError STORE_UNAVAILABLE
   */
  ping(): Promise<void>;
}

export interface Conversations {
  /** Undefined when the id is taken. The same owner and bot again get the same conversation. */
  create(input: NewConversation): Promise<Conversation | undefined>;
  /** For members only. */
  get(conversationId: string, userId: string): Promise<Conversation | undefined>;
  /**
   * The conversations of which the user is a member, the one with the newest activity first; a run
   * begun is activity. One that moves up between two pages is not repeated, and hides no other.
   */
  list(userId: string, page: PageRequest): Promise<Page<Conversation>>;
  /** For the owner only. */
  rename(conversationId: string, userId: string, title: string): Promise<Conversation | undefined>;
  /** For the owner only: others who know the id may join from now on. */
  share(conversationId: string, userId: string): Promise<Conversation | undefined>;
  /** For the owner only: nobody may join any more, and everybody else's membership ends. */
  unshare(conversationId: string, userId: string): Promise<Unshared | undefined>;
  /** Undefined unless it is shared, or the user is a member already. */
  join(conversationId: string, userId: string): Promise<Conversation | undefined>;
  /** False for who is not a member, and for the owner, who deletes instead. */
  leave(conversationId: string, userId: string): Promise<boolean>;
  /**
   * For the owner only: removes the title, the members, the runs, their messages and their events. Those
   * of runs that have ended nobody sees any more; `deletions.finish` deletes them.
   */
  delete(conversationId: string, userId: string): Promise<Deleted | undefined>;
  isMember(conversationId: string, userId: string): Promise<boolean>;
  /** @returns those of the memberships, some hundred at most, that exist */
  stillMembers(memberships: readonly Membership[]): Promise<Membership[]>;
  /**
   * The number after which the next run begins, unless one is in progress: of the last finished run's
   * last event. Before there is one: 0, or what was given out before a backup was put back.
   */
  lastSeq(conversationId: string): Promise<number>;
  /**
   * The newest page first; inside a page the oldest message first, as they are read. A human
   * message stands from its run's start, the bot's from its end, also when that has no text. A page
   * is of `limit` messages, or of those that fit in 1 MiB of UTF-8, with parts and outputs, if they are
   * fewer, and of one at least while there is one.
   * Whether the caller may read them is the caller's to check.
   */
  messages(conversationId: string, page: PageRequest): Promise<Page<Message>>;
  /**
   * The last finished exchanges, oldest first: a human message and what was answered, in part or
   * whole. Those without an answer, and without model's messages, are left out.
   */
  history(conversationId: string, bounds: HistoryBounds): Promise<HistoryEntry[]>;
}

export interface Runs {
  /**
   * Begins a run: claims its id, makes it the conversation's one run in progress, stores the human
   * message. A new conversation is created, owned by the caller. Refused calls change nothing.
   */
  claim(input: NewRun): Promise<Claim>;
  /** For members of its conversation only. */
  get(runId: string, userId: string): Promise<Run | undefined>;
  /** The conversation's run in progress. */
  running(conversationId: string): Promise<Run | undefined>;
  /** Every run in progress, oldest first. At boot: those that an earlier process left behind. */
  unfinished(): Promise<Run[]>;
  /** The run, in progress or ended, if this process has begun it. */
  begunBy(owner: string, runId: string): Promise<Run | undefined>;
  /** The ids of the runs in progress, in no order: of one owner, or of all. */
  inProgress(owner?: string): Promise<string[]>;
  /** The owners of the runs in progress, each once; null for runs that have none. */
  owners(): Promise<(string | null)[]>;
  /** The runs in progress of one owner, or of none, oldest first. */
  ownedBy(owner: string | null): Promise<Run[]>;
  /**
   * Ends a run and keeps the bot's message, and all else that the ending has. Repeating it with the same
   * ending is harmless, and keeps what the first of them came without.
   */
  finish(ending: Ending): Promise<Finished>;
  /**
   * Puts back a run in progress that the database has lost, as a standby that lagged behind and was
   * promoted has; with its conversation, where that is lost as well and was the user's own.
   * @param conversation as the user had it when the run began, if that is known
   */
  restore(run: Run, conversation: Conversation | undefined): Promise<Restored>;
  /**
   * Runs that ended after `afterSeq`, in order, for backfill: at most `limit` of them, with at most
   * 256 KiB of text together, but always the first. For the rest, ask again after the last of these.
   * Whether the caller may read them is the caller's to check.
   */
  endedBetween(conversationId: string, afterSeq: number, limit: number): Promise<EndedRun[]>;
}

export interface Membership {
  readonly conversationId: string;
  readonly userId: string;
}

export interface NewConversation {
  readonly conversationId: string;
  readonly botId: string;
  readonly userId: string;
  /** Without one, the first message gives it. */
  readonly title?: string | undefined;
}

export interface NewRun {
  readonly runId: string;
  readonly conversationId: string;
  readonly botId: string;
  readonly userId: string;
  /** Of a typed bot's input, its JSON. */
  readonly message: string;
  /** What a typed bot is given, in place of a message. */
  readonly input?: Json | undefined;
  /** The process that works on it, where there are several: an id that is never used again. */
  readonly owner?: string | undefined;
}

export interface Run extends NewRun {
  readonly status: "running" | RunStatus;
  /** The number of its first event, `runStart`. When it is 1, no run came before this one. */
  readonly firstSeq: number;
  /** The number of its last event, `runEnd`. This and what follows: once it has ended. */
  readonly endSeq?: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly text?: string;
  readonly output?: Json;
  readonly usage?: Usage;
  readonly error?: Failure;
  readonly providerCalls?: number;
}

export interface EndedRun extends Run {
  /** Whether its events can be read from `archives`. */
  readonly archived: boolean;
}

export type Claim =
  | { readonly outcome: "claimed"; readonly run: Run; readonly conversation: Conversation }
  /** This run was claimed before, and the caller is a member of its conversation. */
  | { readonly outcome: "exists"; readonly run: Run }
  /** Another run is in progress in this conversation. */
  | { readonly outcome: "busy"; readonly runId: string }
  /** The run or the conversation is somebody else's, or the conversation was deleted. */
  | { readonly outcome: "foreign" }
  /** The conversation is another bot's. */
  | { readonly outcome: "wrongBot" };

export interface Ending {
  readonly runId: string;
  readonly status: RunStatus;
  readonly text: string;
  /** What a typed bot answered. */
  readonly output?: Json | undefined;
  readonly usage?: Usage | undefined;
  readonly error?: Failure | undefined;
  /** Higher than the run's `firstSeq`. */
  readonly endSeq: number;
  readonly endedAt: string;
  /** How often a provider was called for it. */
  readonly providerCalls?: number | undefined;
  /** Of the bot's message. Without them, it is its text. */
  readonly parts?: readonly Part[] | undefined;
  /** JSON: LangChain's messages of the exchange, for the bot's memory. Nobody is sent them. */
  readonly modelMessages?: string | undefined;
  /** The run's events, `runEnd` included. */
  readonly archive?: Pick<ArchiveSegment, "rawBytes" | "events"> | undefined;
}

export type Finished =
  | { readonly finished: true; readonly run: Run }
  /** It had ended otherwise before; or, without `run`, its conversation is deleted, or it was lost. */
  | { readonly finished: false; readonly run: Run | undefined };

/**
 * Whether the run was lost (`restored`) or was not (`present`, `deleted` with its conversation).
 * `superseded`: it was, and another run has its place by now, or its user is no member.
 */
export type Restored = "restored" | "present" | "deleted" | "superseded";

export interface PageRequest {
  /** `nextCursor` of the page before; absent for the first. Anything else throws BAD_INPUT. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface Page<T> {
  readonly items: T[];
  readonly nextCursor?: string;
}

export interface Unshared {
  readonly conversation: Conversation;
  /** The users who are members no more. */
  readonly removed: string[];
}

export interface Deleted {
  /** The users who were members, the owner among them. */
  readonly members: string[];
  /** The run that was in progress; `finish` will not find it any more. */
  readonly runningRunId?: string;
}

export interface HistoryBounds {
  readonly exchanges: number;
  /** Of all texts together, as UTF-8: an exchange that goes past it is left out, and all before it. */
  readonly maxBytes: number;
  /**
   * Of all `modelMessages` together: from the exchange on that goes past it, the older ones come without.
   * Default: `maxBytes`.
   */
  readonly maxModelBytes?: number | undefined;
}

export interface HistoryEntry {
  readonly role: "human" | "ai";
  readonly text: string;
  /** On the bot's, where `finish` was given them and they fit. */
  readonly modelMessages?: string;
}
