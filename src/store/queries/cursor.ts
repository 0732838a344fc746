/** Cursors of paged lists. They are opaque to callers, who hand them back as they got them. */
import { z } from "zod";
import { LangwireError } from "../../protocol/errors.ts";

const conversationPosition = z.tuple([z.iso.datetime(), z.string()]);
const messagePosition = z.string().regex(/^[1-9]\d{0,14}$/);

/** The last conversation of a page, by what the list is ordered by. */
export interface ConversationPosition {
  readonly updatedAt: string;
  readonly conversationId: string;
}

export function encodeConversationCursor(position: ConversationPosition): string {
  const { updatedAt, conversationId } = position;
  return Buffer.from(JSON.stringify([updatedAt, conversationId])).toString("base64url");
}

/** @throws LangwireError BAD_INPUT */
export function decodeConversationCursor(cursor: string): ConversationPosition {
  try {
    const decoded = JSON.parse(Buffer.from(cursor, "base64url").toString());
    const [updatedAt, conversationId] = conversationPosition.parse(decoded);
    return { updatedAt, conversationId };
  } catch (cause) {
    throw badCursor(cause);
  }
}

export function encodeMessageCursor(position: number): string {
  return String(position);
}

/** @throws LangwireError BAD_INPUT */
export function decodeMessageCursor(cursor: string): number {
  const parsed = messagePosition.safeParse(cursor);
  if (!parsed.success) throw badCursor(parsed.error);
  return Number(parsed.data);
}

function badCursor(cause: unknown): LangwireError {
  return new LangwireError("BAD_INPUT", {
    message: "cursor: must be the nextCursor of a page of this list.",
    cause,
  });
}
