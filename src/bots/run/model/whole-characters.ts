/**
 * Characters of two UTF-16 units, which a provider that escapes them in JSON may cut in two: half a
 * one is no text in any other encoding. The first half is held back until the second comes.
 */

/** The half that a stream of text holds back. Its owner flushes it at the end of the text. */
export interface HeldHalf {
  half: string;
}

/** @returns the text with what was held back, and without half a character at its end */
export function wholeCharacters(held: HeldHalf, text: string): string {
  const last = text.charCodeAt(text.length - 1);
  // Nearly every token.
  if (held.half === "" && (last < 0xd800 || last > 0xdbff)) return text;
  const all = held.half + text;
  const isCut = last >= 0xd800 && last <= 0xdbff;
  held.half = isCut ? all.slice(-1) : "";
  return isCut ? all.slice(0, -1) : all;
}

/** At the end of a text: U+FFFD where the other half of a character never came. */
export function endOfHalf(held: HeldHalf): string {
  held.half = "";
  return "\uFFFD";
}
