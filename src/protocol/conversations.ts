/** What the conversation and bot procedures return. */
import { z } from "zod";
import { failure } from "./errors.ts";
import { runStatus, usage } from "./events.ts";
import { eventId } from "./inputs.ts";
import { part } from "./parts.ts";

export const botInfo = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  /** Characters of the longest message that it takes. Servers before this one do not say. */
  maxMessageLength: z.number().int().positive().optional(),
  /** JSON Schema of what the bot takes and of what it answers. */
  schemas: z.object({
    input: z.record(z.string(), z.json()),
    output: z.record(z.string(), z.json()),
    /** By channel: what the bot reports of its state. */
    state: z.record(z.string(), z.record(z.string(), z.json())).optional(),
  }),
  /** What `chat.send` may give it. Servers before this one do not say: a message. */
  accepts: z.object({ message: z.boolean(), input: z.boolean() }).optional(),
});

export const conversation = z.object({
  conversationId: z.uuid(),
  botId: z.string(),
  title: z.string(),
  /** Whether the caller owns it; otherwise the caller has joined it. */
  owned: z.boolean(),
  /** Whether others may join. */
  shared: z.boolean(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  /** The run in progress, if there is one. */
  runningRunId: z.uuid().optional(),
  /**
   * Where a watch would begin now; as its `lastEventId`, no event from now on is missed, over however
   * many lost sockets. Answered by `conversations.get`.
   */
  lastEventId: eventId.optional(),
});

export const message = z.object({
  /** Servers before this one do not say, nor what follows another message. */
  messageId: z.string().optional(),
  /** The message that it follows; absent on the first. */
  parentId: z.string().optional(),
  /** Place in the conversation: ascending, unique there. */
  position: z.number().int().positive(),
  runId: z.uuid(),
  role: z.enum(["human", "ai"]),
  /** The final texts of the parts. */
  text: z.string(),
  /** Servers before this one have none, and say `text` alone. */
  parts: z.array(part).optional(),
  /** What a typed bot answered. */
  output: z.json().optional(),
  /** Who wrote it; absent on the bot's, and where its writer was erased, whose text is empty. */
  userId: z.string().optional(),
  at: z.iso.datetime(),
  /** How the run ended; only on the bot's messages. A partial answer is `cancelled` or `failed`. */
  status: runStatus.optional(),
  usage: usage.optional(),
  error: failure.optional(),
});

const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional() });

export const conversationPage = page(conversation);
export const messagePage = page(message);

export type BotInfo = z.infer<typeof botInfo>;
export type Conversation = z.infer<typeof conversation>;
export type Message = z.infer<typeof message>;
export type ConversationPage = z.infer<typeof conversationPage>;
export type MessagePage = z.infer<typeof messagePage>;
