/** What callers send, one schema each. */
import { z } from "zod";
import { eventTypes } from "./events.ts";
import { jsonInput } from "./json-input.ts";
import { protocolLimits } from "./limits.ts";

/**
 * A position in a conversation's log, as a decimal string: "0" is before the first event. tRPC sends
 * the one last seen when it reconnects.
 */
export const eventId = z.string().regex(/^(0|[1-9]\d{0,14})$/, "must be an event's id");

const lastEventId = eventId.optional();
/** Send only these event types. `runEnd` always comes. */
const only = z.array(z.enum(eventTypes)).max(eventTypes.length).optional();
const botId = z.string().min(1).max(protocolLimits.idLength);
const conversationId = z.uuid();
const title = z.string().trim().min(1).max(protocolLimits.titleLength);

const nextPage = {
  /** `nextCursor` of the page before; absent for the first. */
  cursor: z.string().max(protocolLimits.idLength).optional(),
  limit: z.number().int().min(1).max(protocolLimits.pageSize).default(50),
};

const sendFields = z.object({
  /** Made by the client, once a message: sending it again attaches to the same run. */
  runId: z.uuid(),
  botId,
  /** Made by the client. A conversation that is new starts here, owned by the caller. */
  conversationId,
  message: z.string().min(1).max(protocolLimits.messageLength).optional(),
  /** For a bot that takes one, in place of a message: checked against its schema before anything runs. */
  input: jsonInput.optional(),
  lastEventId,
  only,
  /** What to do when a run is in progress: refuse with CONVERSATION_BUSY, or stop that one first. */
  ifBusy: z.enum(["reject", "interrupt"]).default("reject"),
});

export const sendInput = sendFields.refine(
  ({ message, input }) => (message === undefined) !== (input === undefined),
  { path: ["message"], error: "either a message or an input, and not both" },
);

/** A run that was sent before: it is read, and never started. */
export const followInput = z.object({ runId: z.uuid(), lastEventId, only });

export const watchInput = z.object({ conversationId, lastEventId });

export const cancelInput = z.object({ runId: z.uuid() });

export const createConversationInput = z.object({
  conversationId,
  botId,
  title: title.optional(),
});

export const conversationInput = z.object({ conversationId });

export const renameInput = z.object({ conversationId, title });

export const listInput = z.object(nextPage);

export const messagesInput = z.object({ conversationId, ...nextPage });

export type SendInput = z.infer<typeof sendInput>;
export type FollowInput = z.infer<typeof followInput>;
export type WatchInput = z.infer<typeof watchInput>;
