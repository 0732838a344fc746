/** How values are put on a terminal. */
import type { Json } from "../types.ts";

export type Style = "bold" | "cyan" | "dim" | "red" | "yellow";

/** Text in a style, or as it is where there are no colours. */
export type Paint = (style: Style, text: string) => string;

/** Characters of a tool's input or output that are shown. */
const payloadLength = 500;

/** Behind the name of what it is of; nothing where there is none. */
export function payload(value: Json | undefined): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > payloadLength ? `: ${text.slice(0, payloadLength)}…` : `: ${text}`;
}

/** Without control characters: an answer must not be able to command the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, "");
}
