import { memo } from "react";
import { cutToSize, type Part } from "./reading/parts.ts";
import { useTurn } from "./turns.ts";

/** A text as it is written, in pieces of which only the last one changes while it grows. */
export function PlainText({ text }: { readonly text: string }) {
  return cutToSize({ start: 0, text, goesOn: false }).map(({ start, text }: Part) => (
    <Piece key={start} text={text} />
  ));
}

const Piece = memo(({ text }: { readonly text: string }) => {
  const isDue = useTurn(text.length);
  return isDue ? <span className="piece">{text}</span> : null;
});
Piece.displayName = "Piece";
