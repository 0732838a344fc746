/** A section of Markdown in parts: each is parsed for itself, and all but the last change no more. */

export interface Part {
  /** Where it begins in the whole text: the same for as long as the text only grows. */
  readonly start: number;
  readonly text: string;
  /** Whether it goes on in the middle of the line that the part before it ends with. */
  readonly goesOn: boolean;
}

/** Characters from which a part ends with its line. */
export const enough = 1_000;
/** Characters from which a part ends between two words, or anywhere. */
export const tooMany = 4_000;

export interface Line {
  /** Where it begins in the whole text. */
  readonly start: number;
  readonly text: string;
}

export function partOf({ start, text }: Line): Part {
  return { start, text, goesOn: false };
}

/** Adds a line to the last part, or as a part of its own where that one is full. */
export function withLine(
  parts: readonly Part[],
  line: Line,
  isFull = (text: string): boolean => text.length >= enough,
): readonly Part[] {
  const last = parts.at(-1);
  if (last === undefined || isFull(last.text)) return [...parts, partOf(line)];
  return [...parts.slice(0, -1), { ...last, text: `${last.text}\n${line.text}` }];
}

/** The same, for what may be cut in the middle of a line: between two words, where there are any. */
export function withWords(parts: readonly Part[], line: Line): readonly Part[] {
  const all = withLine(parts, line);
  const last = all.at(-1);
  if (last === undefined || last.text.length <= tooMany) return all;
  return [...all.slice(0, -1), ...cutToSize(last)];
}

export function cutToSize({ start, text, goesOn }: Part): readonly Part[] {
  const cut: Part[] = [];
  let from = 0;
  while (text.length - from > tooMany) {
    const to = endOfPiece(text, from);
    cut.push({ start: start + from, text: text.slice(from, to), goesOn: from > 0 || goesOn });
    from = to;
  }
  return [...cut, { start: start + from, text: text.slice(from), goesOn: from > 0 || goesOn }];
}

function endOfPiece(text: string, from: number): number {
  const space = text.lastIndexOf(" ", from + tooMany - 1) + 1;
  if (space > from + enough) return space;
  const to = from + tooMany;
  const isPairCut = /[\uD800-\uDBFF]/.test(text.charAt(to - 1));
  return isPairCut ? to - 1 : to;
}
