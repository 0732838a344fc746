/** What a line of Markdown begins, as far as it decides where a text can be cut. */

/** What is longer is words, whatever it looks like: so no line takes long to look at. */
const longest = 2_000;

export const indent = (line: string): number => line.length - line.trimStart().length;

export const isBlank = (line: string): boolean => line.trim() === "";

export interface Fence {
  /** The characters that close it, or more of them. */
  readonly mark: string;
  readonly indent: number;
  /** What is written behind it: the language, and more. */
  readonly info: string;
}

const fenceLine = /^( {0,3})(`{3,}(?=[^`]*$)|~{3,})(.*)$/;

export function fenceOf(line: string): Fence | undefined {
  if (line.length > longest) return undefined;
  const [, spaces = "", mark, info = ""] = fenceLine.exec(line) ?? [];
  return mark === undefined ? undefined : { mark, indent: spaces.length, info: info.trim() };
}

export function closesFence(line: string, { mark }: Fence): boolean {
  if (line.length > longest) return false;
  const end = line.trim();
  return indent(line) < 4 && end.startsWith(mark) && end === mark.charAt(0).repeat(end.length);
}

export interface Marker {
  /** `-`, `*`, `+`, `.` or `)`: another one begins another list. */
  readonly type: string;
  /** Of an ordered list. */
  readonly number: number | undefined;
  /** Where the item's text begins: what is indented as far belongs to the item. */
  readonly contentIndent: number;
  readonly isEmpty: boolean;
}

const listLine = /^( {0,3})([-*+]|(\d{1,9})([.)]))( *)(.*)$/;
const ruler = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
const isRuler = (line: string): boolean => line.length <= longest && ruler.test(line);

export function markerOf(line: string): Marker | undefined {
  const found = listLine.exec(line.slice(0, longest).replaceAll("\t", "    "));
  if (found === null || isRuler(line)) return undefined;
  const [, spaces = "", sign = "", number, type = sign, gap = "", rest = ""] = found;
  if (gap === "" && rest !== "") return undefined;
  const gapLength = rest === "" || gap.length > 4 ? 1 : gap.length;
  return {
    type,
    number: number === undefined ? undefined : Number(number),
    contentIndent: spaces.length + sign.length + gapLength,
    isEmpty: rest === "",
  };
}

/** Headings, quotes, rulers and fences end a list or a table that they stand below. */
const otherBlock = /^ {0,3}(?:#{1,6}(?:\s|$)|>)/;

export function beginsOtherBlock(line: string): boolean {
  return otherBlock.test(line) || isRuler(line) || fenceOf(line) !== undefined;
}

const delimiters = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** @returns how many columns a table has of which these are the first two lines; 0 where they are none */
export function tableColumns(header: string, delimiter: string): number {
  if (header.length > longest || delimiter.length > longest) return 0;
  if (!delimiter.includes("|") && !header.includes("|")) return 0;
  if (!delimiters.test(delimiter) || indent(header) > 3) return 0;
  const count = cells(delimiter);
  return cells(header) === count ? count : 0;
}

function cells(row: string): number {
  const inner = row
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).length;
}

/** A text that defines a link for all the others. Footnotes look alike, and are none. */
export const definesLink = (line: string): boolean => /^ {0,3}\[(?!\^)[^\]]+\]:\s*\S/.test(line);
