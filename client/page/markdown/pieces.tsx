/** The parts of a section. Each is parsed when its words change, and never otherwise. */
import type { Token } from "markdown-it";
import { memo, type ReactNode } from "react";
import { PlainText } from "./plain-text.tsx";
import { indent } from "./reading/lines.ts";
import { type Links, linksIn, parseBlocks, parseWords } from "./reading/parse.ts";
import type { Part } from "./reading/parts.ts";
import { elementsOf } from "./tokens.ts";
import { useTurn } from "./turns.ts";

/**
 * As what a part is read, and so what of it is drawn: blocks; the words of one paragraph; the items of a
 * list; the head or the rows of a table.
 */
type Reading = "blocks" | "words" | "items" | "head" | "rows";

interface PiecesProps {
  readonly parts: readonly Part[];
  readonly reading: Reading;
  readonly links: Links;
  /** The lines that rows are read below. */
  readonly head?: string;
}

export function Pieces({ parts, reading, links, head = "" }: PiecesProps) {
  return parts.map(({ start, text }) => {
    const used = linksIn(text, links);
    return (
      <Piece key={start} text={text} reading={reading} head={head} used={used} links={links} />
    );
  });
}

interface PieceProps extends Required<Omit<PiecesProps, "parts">> {
  readonly text: string;
  /** Which of the links the text uses: the others make no difference to it. */
  readonly used: string;
}

/** Of the elements around a few words, in characters. */
const elementCost = 40;

const Piece = memo(
  (props: PieceProps) => {
    const isDue = useTurn(props.text.length + elementCost);
    if (!isDue) return null;
    return drawn(props) ?? <Written text={props.text} reading={props.reading} />;
  },
  (before, after) =>
    before.text === after.text &&
    before.reading === after.reading &&
    before.head === after.head &&
    before.used === after.used,
);
Piece.displayName = "Piece";

/** @returns undefined for what is too deep, or too much, or not what it looked like */
function drawn({ text, reading, head, links }: PieceProps): ReactNode | undefined {
  switch (reading) {
    case "words": {
      const tokens = parseWords(text, links);
      return tokens && <span className="piece">{elementsOf(tokens)}</span>;
    }
    case "blocks":
      return elements(parseBlocks(text, links));
    case "items":
      return items(text, links);
    case "head":
      return elements(inTable(parseBlocks(text, links)));
    case "rows": {
      const table = inTable(parseBlocks(`${head}\n${text}`, links));
      const from = table?.findIndex(({ type }) => type === "tbody_open") ?? -1;
      return from === -1 ? undefined : elements(table?.slice(from + 1, -1));
    }
  }
}

function elements(tokens: readonly Token[] | undefined): ReactNode | undefined {
  return tokens && elementsOf(tokens);
}

/** A part that begins inside of an item goes on with a list that the item has. */
function items(text: string, links: Links): ReactNode | undefined {
  const inside = indent(text);
  if (inside < 4) {
    const tokens = parseBlocks(text, links);
    const list = within(tokens, /^(?:bullet|ordered)_list_open$/);
    return list === undefined
      ? tokens && <li className="on">{elementsOf(tokens)}</li>
      : elementsOf(list);
  }
  const outdented = text.split("\n").map((line) => line.slice(Math.min(inside, indent(line))));
  const tokens = parseBlocks(outdented.join("\n"), links);
  return tokens && <li className="on">{elementsOf(tokens)}</li>;
}

function inTable(tokens: readonly Token[] | undefined): readonly Token[] | undefined {
  return within(tokens, /^table_open$/);
}

/** @returns what is between the first token and the last, where these are one element */
function within(tokens: readonly Token[] | undefined, type: RegExp): readonly Token[] | undefined {
  if (!type.test(tokens?.[0]?.type ?? "")) return undefined;
  const outermost = tokens?.filter(({ level, nesting }) => level === 0 && nesting === -1).length;
  return outermost === 1 ? tokens?.slice(1, -1) : undefined;
}

interface WrittenProps {
  readonly text: string;
  readonly reading?: Reading;
}

/** A text as it is written, in place of what it would have been. */
export function Written({ text, reading = "blocks" }: WrittenProps): ReactNode {
  const plain = <PlainText text={text} />;
  switch (reading) {
    case "words":
      return plain;
    case "blocks":
      return <div className="written">{plain}</div>;
    case "items":
      return <li className="on written">{plain}</li>;
    case "head":
    case "rows": {
      const row = (
        <tr>
          <td className="written">{plain}</td>
        </tr>
      );
      return reading === "head" ? <thead>{row}</thead> : row;
    }
  }
}
