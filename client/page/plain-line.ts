/**
 * A title or a name as it can stand among other words: on one line, and without the characters that
 * turn the direction of what stands around it. They are not seen, and a window's title, an
 * accessible name or a line of a list has no other fence against them.
 */
export function plainLine(text: string): string {
  return text.replaceAll(turning, "").replaceAll(broken, " ");
}

/** Embeddings, overrides and isolates; the marks that only stand in for a letter stay. */
const turning = /[\u202A-\u202E\u2066-\u2069]/g;
const broken = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
