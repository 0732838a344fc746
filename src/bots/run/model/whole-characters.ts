/**
 * A model's text as every reader and every database can have it.
 *
 * Characters of two UTF-16 units, which a provider that escapes them in JSON may cut in two: half a
 * one is no text in any other encoding. The first half is held back until the second comes. One of which
 * the other never comes is U+FFFD, and so is U+0000, which databases cannot hold: the history would not have
 * what was seen, and who compares the two would take the answer for another.
 */

/** The half that a stream of text holds back. Its owner flushes it at the end of the text. */
export interface HeldHalf {
  half: string;
}

/** @returns the text with what was held back, and without half a character at its end */
export function wholeCharacters(held: HeldHalf, text: string): string {
  const last = text.charCodeAt(text.length - 1);
  // Nearly every token.
  if (held.half === "" && (last < 0xd800 || last > 0xdbff)) return holdable(text);
  const all = held.half + text;
  const isCut = last >= 0xd800 && last <= 0xdbff;
  held.half = isCut ? all.slice(-1) : "";
  return holdable(isCut ? all.slice(0, -1) : all);
}

/** The text itself, nearly always. */
function holdable(text: string): string {
  if (text.isWellFormed() && !text.includes("\0")) return text;
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

/** At the end of a text: U+FFFD where the other half of a character never came. */
export function endOfHalf(held: HeldHalf): string {
  held.half = "";
  return "\uFFFD";
}
