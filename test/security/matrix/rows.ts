/**
 * What each procedure answers to whom. A procedure without a row fails the suite, and so does one
 * that answers anything else.
 */
import { randomUUID } from "node:crypto";
import { protocolLimits } from "../../../src/protocol/limits.ts";
import type { Place } from "./places.ts";

/** Callers who have proved who they are; the others are refused at the door, whatever they ask. */
export const knownCallers = ["owner", "member", "removed", "stranger"] as const;
export type KnownCaller = (typeof knownCallers)[number];

/**
 * What the named things are to whoever asks: a conversation that others may join, one that nobody
 * may (any more), one that was deleted, and ids that nothing ever had.
 */
export const placeKinds = ["shared", "unshared", "gone", "neverWas"] as const;
export type PlaceKind = (typeof placeKinds)[number];

export type Verdict =
  /** It is done, and answers what the row says. */
  | "answers"
  /** It answers, and with nothing of the place. */
  | "nothing"
  /** In the words that are said of what does not exist. */
  | "NOT_FOUND"
  /** NOT_FOUND, in the row's own words: to who may read the place. */
  | "refused"
  | "CONVERSATION_BUSY";

type Verdicts = Readonly<Record<KnownCaller, Verdict>>;

export interface Row {
  readonly path: string;
  /** Where a procedure can be called in more ways than one. */
  readonly how?: string;
  readonly input: (place: Place) => object | undefined;
  /** Is part of what it answers, where it answers. */
  readonly shows: (place: Place) => string;
  readonly verdicts: Readonly<Record<PlaceKind, Verdicts>>;
  /** What `refused` says. */
  readonly refusal?: string;
}

const everybody = (verdict: Verdict): Verdicts => ({
  owner: verdict,
  member: verdict,
  removed: verdict,
  stranger: verdict,
});
const nobody = everybody("NOT_FOUND");
const ownerAlone: Verdicts = { ...nobody, owner: "answers" };
const membersAlone: Verdicts = { ...ownerAlone, member: "answers" };

/** Nobody is a member of what is not shared. */
const membersRow = { shared: membersAlone, unshared: ownerAlone, gone: nobody, neverWas: nobody };
const ownerRow = {
  shared: { ...ownerAlone, member: "refused" },
  unshared: ownerAlone,
  gone: nobody,
  neverWas: nobody,
} as const;
const ownersAlone = (verb: string) => ({
  verdicts: ownerRow,
  refusal: `Only its owner may ${verb} a conversation.`,
});
const busyRow = {
  shared: { ...nobody, owner: "CONVERSATION_BUSY", member: "CONVERSATION_BUSY" },
  unshared: { ...nobody, owner: "CONVERSATION_BUSY" },
  gone: nobody,
  // What there never was begins with its first message.
  neverWas: everybody("answers"),
} as const;
const nobodyRow = { shared: nobody, unshared: nobody, gone: nobody, neverWas: nobody };

const botId = "test";
const message = "whose?";
const conversation = ({ conversationId }: Place) => ({ conversationId });
const byConversation = { input: conversation, shows: ({ title }: Place) => title };

export const rows: readonly Row[] = [
  {
    path: "chat.send",
    how: "another's run, again",
    input: ({ ended, conversationId }) => ({ runId: ended, conversationId, botId, message }),
    shows: ({ kind, secret }) => (kind === "neverWas" ? message : secret),
    verdicts: { ...membersRow, neverWas: everybody("answers") },
  },
  {
    path: "chat.send",
    how: "a new run in another's conversation",
    input: (place) => ({ ...conversation(place), runId: randomUUID(), botId, message }),
    shows: () => message,
    verdicts: busyRow,
  },
  {
    path: "chat.send",
    how: "a new run in place of the one in progress",
    input: (place) => ({
      ...conversation(place),
      runId: randomUUID(),
      botId,
      message,
      ifBusy: "interrupt",
    }),
    shows: () => message,
    verdicts: { ...membersRow, neverWas: everybody("answers") },
  },
  {
    path: "chat.send",
    how: "a run in a conversation that it is not of",
    input: ({ running }) => ({ runId: running, conversationId: randomUUID(), botId, message }),
    shows: ({ kind, secret }) => (kind === "neverWas" || kind === "gone" ? message : secret),
    // Whoever may read it gets the run of that id; where none is left, a new one begins.
    verdicts: { ...membersRow, gone: everybody("answers"), neverWas: everybody("answers") },
  },
  ...(["ended", "running"] as const).flatMap((which): Row[] => [
    {
      path: "chat.follow",
      how: `a run that is ${which}`,
      input: (place) => ({ runId: place[which], lastEventId: "0" }),
      shows: ({ secret }) => secret,
      verdicts: membersRow,
    },
    {
      path: "chat.cancel",
      how: `a run that is ${which}`,
      input: (place) => ({ runId: place[which] }),
      shows: () => (which === "ended" ? "completed" : "cancelled"),
      verdicts: membersRow,
    },
  ]),
  {
    path: "chat.watch",
    input: (place) => ({ ...conversation(place), lastEventId: "0" }),
    shows: ({ secret }) => secret,
    verdicts: membersRow,
  },
  {
    path: "chat.watch",
    how: "from now on",
    ...byConversation,
    shows: ({ secret }) => secret,
    verdicts: membersRow,
  },
  {
    path: "conversations.create",
    input: (place) => ({ ...conversation(place), botId }),
    shows: conversationIdOf,
    // Sent again by its owner, it is the same one.
    verdicts: { ...ownerRow, shared: ownerAlone, neverWas: everybody("answers") },
  },
  {
    path: "conversations.list",
    input: () => ({ limit: protocolLimits.pageSize }),
    shows: ({ title }) => title,
    verdicts: {
      shared: { ...everybody("nothing"), owner: "answers", member: "answers" },
      unshared: { ...everybody("nothing"), owner: "answers" },
      gone: everybody("nothing"),
      neverWas: everybody("nothing"),
    },
  },
  { path: "conversations.get", ...byConversation, verdicts: membersRow },
  {
    path: "conversations.messages",
    input: conversation,
    shows: ({ secret }) => secret,
    verdicts: membersRow,
  },
  {
    path: "conversations.rename",
    input: (place) => ({ ...conversation(place), title: "mine" }),
    shows: () => "mine",
    ...ownersAlone("rename"),
  },
  { path: "conversations.share", ...byConversation, ...ownersAlone("share") },
  { path: "conversations.unshare", ...byConversation, ...ownersAlone("unshare") },
  {
    path: "conversations.join",
    ...byConversation,
    verdicts: { ...ownerRow, shared: everybody("answers") },
  },
  {
    path: "conversations.leave",
    input: conversation,
    shows: conversationIdOf,
    verdicts: {
      ...nobodyRow,
      shared: { ...nobody, owner: "refused", member: "answers" },
      unshared: { ...nobody, owner: "refused" },
    },
    refusal: "Its owner cannot leave a conversation: unshare it, or delete it.",
  },
  {
    path: "conversations.delete",
    input: conversation,
    shows: conversationIdOf,
    ...ownersAlone("delete"),
  },
  {
    path: "bots.list",
    input: () => undefined,
    shows: () => botId,
    verdicts: {
      shared: everybody("answers"),
      unshared: everybody("answers"),
      gone: everybody("answers"),
      neverWas: everybody("answers"),
    },
  },
];

function conversationIdOf({ conversationId }: Place): string {
  return conversationId;
}
