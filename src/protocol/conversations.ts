/** What the conversation and bot procedures return. */
import { z } from "zod";
import { failure } from "./errors.ts";
import { runStatus, usage } from "./events.ts";
import { eventId } from "./inputs.ts";

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
  }),
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
  /** Place in the conversation: ascending, unique there. */
  position: z.number().int().positive(),
  runId: z.uuid(),
  role: z.enum(["human", "ai"]),
  text: z.string(),
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
