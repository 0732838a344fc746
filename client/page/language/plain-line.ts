import { words } from "./words.ts";

/**
 * A title or a name as it can stand among other words: on one line, and without the characters that
 * turn the direction of what stands around it. They are not seen, and a window's title, an
 * accessible name or a line of a list has no other fence against them.
 * @param unseen what stands in the place of one that has nothing to be seen
 */
export function plainLine(text: string, unseen = words.noName): string {
  const line = text.replaceAll(turning, "").replaceAll(broken, " ");
  return seen.test(line) ? line : unseen;
}

/** Embeddings, overrides and isolates; the marks that only stand in for a letter stay. */
const turning = /[\u202A-\u202E\u2066-\u2069]/g;
const broken = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** A blank of Braille counts as a symbol; what fills the place of a letter of Hangul is ignorable. */
const seen = /[^\p{Z}\p{C}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u;
