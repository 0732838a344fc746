/**
 * What a log or a terminal is shown of a text that somebody else wrote: nothing in it that is not seen. A
 * control character moves the cursor, the end of a line forges the next one, and a format character turns
 * the direction of what is read (U+202E), or hides in it (U+200B).
 */

const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** @returns the text with those as \uXXXX, by UTF-16 unit: a line of JSON says the same as before */
export function escapeInvisible(text: string): string {
  return text.replaceAll(invisible, (char) =>
    Array.from({ length: char.length }, (_, at) => escaped(char.charCodeAt(at))).join(""),
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
