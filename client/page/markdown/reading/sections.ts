/**
 * Cuts Markdown into sections, and long ones into parts, so that a growing text is parsed again only at
 * its end, whatever it is made of: a list by its items, a table by its rows, code by its lines, a long
 * paragraph between two words.
 *
 * `nextLine` is the whole of it: the state is the section that is open, and a line makes the next one.
 */
import {
  beginsOtherBlock,
  closesFence,
  definesLink,
  type Fence,
  fenceOf,
  indent,
  isBlank,
  type Marker,
  markerOf,
  tableColumns,
} from "./lines.ts";
import { enough, type Line, type Part, partOf, tooMany, withLine, withWords } from "./parts.ts";

interface SectionOf<Kind extends string> {
  readonly kind: Kind;
  readonly start: number;
  /** The last one may grow. */
  readonly parts: readonly Part[];
}

interface CodeSection extends SectionOf<"code"> {
  readonly fence: Fence;
}

interface ListSection extends SectionOf<"list"> {
  /** Of the first item. */
  readonly first: Marker;
  /** Of the last item so far. */
  readonly last: Marker;
  readonly isAfterBlank: boolean;
}

/** Its parts are rows. */
interface TableSection extends SectionOf<"table"> {
  /** The two lines that each part is read below. */
  readonly head: string;
  readonly columns: number;
}

/** `paragraph`: its parts are one text. `blocks`: each is read for itself. */
type TextSection = SectionOf<"paragraph"> | SectionOf<"blocks">;

/** What is shown as it is written. */
type WrittenSection = SectionOf<"written">;

export type Section = CodeSection | ListSection | TableSection | TextSection | WrittenSection;

/** What a line makes of the open section: those that are over, and the one that is open now. */
interface Step {
  readonly over: readonly Section[];
  readonly open: Section | undefined;
}

export function nextLine(open: Section | undefined, line: Line): Step {
  switch (open?.kind) {
    case undefined:
      return isBlank(line.text) ? closed([]) : begun([], line);
    case "written":
      return begun([open], line);
    case "code":
      return nextInCode(open, line);
    case "table":
      return nextInTable(open, line);
    case "list":
      return nextInList(open, line);
    case "paragraph":
    case "blocks":
      return nextInText(open, line);
  }
}

const closed = (over: readonly Section[]): Step => ({ over, open: undefined });
const grown = (open: Section): Step => ({ over: [], open });
const begun = (over: readonly Section[], line: Line): Step => ({ over, open: begin(line) });

function begin(line: Line): Section {
  const { start, text } = line;
  const fence = fenceOf(text);
  if (fence !== undefined) return { kind: "code", start, parts: [], fence };
  const marker = markerOf(text);
  if (marker !== undefined) {
    const parts = [partOf(line)];
    return { kind: "list", start, parts, first: marker, last: marker, isAfterBlank: false };
  }
  const isParagraph = !beginsOtherBlock(text) && indent(text) < 4 && !definesLink(text);
  return isParagraph
    ? { kind: "paragraph", start, parts: withWords([], line) }
    : { kind: "blocks", start, parts: [partOf(line)] };
}

function nextInCode(open: CodeSection, { start, text }: Line): Step {
  const { fence } = open;
  if (closesFence(text, fence)) return closed([open]);
  const line = text.slice(Math.min(fence.indent, indent(text)));
  return grown({ ...open, parts: withWords(open.parts, { start, text: line }) });
}

/** Cells from which a part of a table is full: those that a row leaves out are drawn as well. */
const enoughCells = 400;

function nextInTable(open: TableSection, line: Line): Step {
  const { text } = line;
  if (isBlank(text)) return closed([open]);
  if (beginsOtherBlock(text) || markerOf(text) !== undefined) return begun([open], line);
  const isFull = (rows: string) =>
    rows.length >= enough || rows.split("\n").length * open.columns >= enoughCells;
  return grown({ ...open, parts: withLine(open.parts, line, isFull) });
}

function nextInList(open: ListSection, line: Line): Step {
  const { text } = line;
  const marker = markerOf(text);
  if (isBlank(text)) return grown(inItem(open, line, true));
  if (indent(text) >= open.last.contentIndent) return grown(inItem(open, line, false));
  if (marker?.type === open.first.type) {
    return grown({ ...open, last: marker, parts: withLine(open.parts, line), isAfterBlank: false });
  }
  // A line right below an item belongs to its words.
  const isLazy = !open.isAfterBlank && marker === undefined && !beginsOtherBlock(text);
  return isLazy ? grown(inItem(open, line, false)) : begun([open], line);
}

/** An item is one part, unless it has a long list of its own. */
function inItem(open: ListSection, line: Line, isAfterBlank: boolean): ListSection {
  const isItem = markerOf(line.text.trimStart()) !== undefined;
  const isFull = ({ length }: string) => isItem && length >= tooMany;
  return { ...open, parts: withLine(open.parts, line, isFull), isAfterBlank };
}

function nextInText(open: TextSection, line: Line): Step {
  const { text } = line;
  const isCode = indent(open.parts[0]?.text ?? "") >= 4;
  if (isBlank(text)) {
    return isCode ? grown({ ...open, parts: withLine(open.parts, line) }) : closed([open]);
  }
  if (isCode && indent(text) < 4) return begun([open], line);
  const table = tableBelow(open, line);
  if (table !== undefined) return table;
  const marker = markerOf(text);
  const isInterrupted = marker !== undefined && !marker.isEmpty && (marker.number ?? 1) === 1;
  if (isInterrupted || fenceOf(text) !== undefined) return begun([open], line);
  if (open.kind === "paragraph" && !beginsOtherBlock(text)) {
    return grown({ ...open, parts: withWords(open.parts, line) });
  }
  const isFull = ({ length }: string) => length >= tooMany;
  return grown({ ...open, kind: "blocks", parts: withLine(open.parts, line, isFull) });
}

/** The last line becomes the head of a table where the next one draws its columns. */
function tableBelow(open: TextSection, line: Line): Step | undefined {
  const last = open.parts.at(-1);
  if (last === undefined) return undefined;
  const headAt = last.text.lastIndexOf("\n") + 1;
  const header = last.text.slice(headAt);
  const columns = tableColumns(header, line.text);
  if (columns === 0) return undefined;
  const before = headAt === 0 ? [] : [{ ...last, text: last.text.slice(0, headAt - 1) }];
  const parts = [...open.parts.slice(0, -1), ...before];
  const over = parts.length === 0 ? [] : [{ ...open, parts }];
  const head = `${header}\n${line.text}`;
  return { over, open: { kind: "table", start: last.start + headAt, parts: [], head, columns } };
}

/** The parts with the line ends between them. */
export function joinable(parts: readonly Part[]): string[] {
  return parts.map(({ text, goesOn }, index) => (index > 0 && !goesOn ? `\n${text}` : text));
}

export function writtenOf(section: Section): string {
  const text = joinable(section.parts).join("");
  switch (section.kind) {
    case "code":
      return `${section.fence.mark}${section.fence.info}\n${text}`;
    case "table":
      return `${section.head}\n${text}`;
    case "list":
    case "paragraph":
    case "blocks":
    case "written":
      return text;
  }
}
