/** What a database's text can hold: neither U+0000 nor half of a surrogate pair. */
import type { CompiledQuery } from "kysely";
import { LangwireError } from "../../protocol/errors.ts";

/** The text with U+FFFD for what cannot be held. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

/**
 * The query as it is, if the database can hold its values: one that altered an id could make two users
 * one.
 * @throws LangwireError BAD_INPUT
 */
export function checked(query: CompiledQuery): CompiledQuery {
  for (const value of query.parameters) {
    if (typeof value === "string" && (!value.isWellFormed() || value.includes("\0"))) {
      throw new LangwireError("BAD_INPUT", { message: "An id holds a character that it may not." });
    }
  }
  return query;
}

const titleLength = 80;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** A conversation's title from its first message: the start of it, on one line. */
export function titleOf(message: string): string {
  // A grapheme has no longest length; four times the title is enough to find the cut.
  const line = storable(message.slice(0, titleLength * 4))
    .replaceAll(/\s+/g, " ")
    .trim();
  if (line.length <= titleLength) return line;
  let title = "";
  for (const { segment } of graphemes.segment(line)) {
    if (title.length + segment.length >= titleLength) break;
    title += segment;
  }
  return `${title.trimEnd()}…`;
}
