/**
 * A message's parts as the store has them. Its text is in the run's row already: where a part says just
 * that text, it is stored without it, and parts that are nothing else are not stored at all.
 */
import type { Json } from "../../../protocol/events.ts";
import type { Part } from "../../../protocol/parts.ts";

type StoredPart = Exclude<Part, { type: "text" }> | TextPart;
type TextPart = Omit<Extract<Part, { type: "text" }>, "text"> & { readonly text?: string };

/** Of a message that is one text; a blank answer is none, as in the fold. */
function textAlone(text: string): Part[] {
  return isBlank(text) ? [] : [{ type: "text", text, final: true }];
}

function isBlank(text: string): boolean {
  return !/\S/.test(text);
}

/** Of what a person wrote, or gave to a typed bot. */
export function questionParts(text: string, input: Json | undefined): Part[] {
  if (input !== undefined) return [{ type: "data", name: "input", value: input, origin: "input" }];
  return text === "" ? [] : [{ type: "text", text, final: true }];
}

/** @param text the message's, as it is in the run's row */
export function encodeParts(parts: readonly Part[] | undefined, text: string): string | null {
  if (parts === undefined || isTextAlone(parts, text)) return null;
  const stored = parts.map((part): StoredPart => {
    if (part.type !== "text" || part.text !== text) return part;
    const { text: _, ...rest } = part;
    return rest;
  });
  return JSON.stringify(stored);
}

/** Of an answer; those of a process that stored none are its text. */
export function decodeParts(stored: string | null, text: string): Part[] {
  if (stored === null) return textAlone(text);
  const parts = JSON.parse(stored) as StoredPart[];
  return parts.map(
    (part): Part => (part.type === "text" ? { ...part, text: part.text ?? text } : part),
  );
}

function isTextAlone(parts: readonly Part[], text: string): boolean {
  const [first] = parts;
  if (first === undefined) return isBlank(text);
  if (parts.length > 1 || first.type !== "text" || first.text !== text || isBlank(text))
    return false;
  return first.final && first.spanId === undefined;
}
