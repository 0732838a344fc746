/** Where a page of a list begins. Callers hand cursors back as they got them, and read nothing in them. */
import { z } from "zod";
import { LangwireError } from "../../protocol/errors.ts";

const conversationPlace = z.tuple([z.iso.datetime(), z.string()]);
const position = z.string().regex(/^[1-9]\d{0,14}$/);

export interface ConversationPlace {
  readonly updatedAt: string;
  readonly conversationId: string;
}

export function encodeConversationCursor(place: ConversationPlace): string {
  return Buffer.from(JSON.stringify([place.updatedAt, place.conversationId])).toString("base64url");
}

/** @throws LangwireError BAD_INPUT */
export function decodeConversationCursor(cursor: string): ConversationPlace {
  try {
    const decoded = JSON.parse(Buffer.from(cursor, "base64url").toString());
    const [updatedAt, conversationId] = conversationPlace.parse(decoded);
    return { updatedAt, conversationId };
  } catch (cause) {
    throw badCursor(cause);
  }
}

export function encodeMessageCursor(place: number): string {
  return String(place);
}

/** @throws LangwireError BAD_INPUT */
export function decodeMessageCursor(cursor: string): number {
  const parsed = position.safeParse(cursor);
  if (!parsed.success) throw badCursor(parsed.error);
  return Number(parsed.data);
}

function badCursor(cause: unknown): LangwireError {
  return new LangwireError("BAD_INPUT", {
    message: "cursor: must be the nextCursor of a page of this list.",
    cause,
  });
}
