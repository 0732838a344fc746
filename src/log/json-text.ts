/** Texts as they stand in an entry's JSON, without the quotes around them. */

/** Characters up to which a string is never a view into a longer one, which it would keep. */
const ownLength = 12;
/** Characters from which a view that keeps two more is less than a copy and what it is made by. */
const viewLength = 256;

/**
 * A string's JSON without the quotes. Half a surrogate pair is escaped as `\udXXX`, so that two
 * halves that arrive apart are whole again once they are joined and parsed.
 */
export function escaped(text: string): string {
  const json = JSON.stringify(text);
  // As `owned`: a copy, and where a short text needed no escaping, not even that.
  if (text.length <= ownLength && json.length === text.length + 2) return text;
  if (json.length > viewLength) return json.slice(1, -1);
  const bytes = Buffer.from(json);
  return bytes.toString("utf8", 1, bytes.length - 1);
}

/** A longer part of a string is a view that keeps all of it: while an entry lasts, a copy is less. */
export function owned(part: string): string {
  return part.length <= ownLength ? part : Buffer.from(part).toString();
}

/**
 * Characters from which a text is better held as it was said: while its run is in progress, LangChain holds the same
 * string. One that is a view is most of what it is a view into, at that length.
 */
const saidLength = 1024;

export function isHeldAsSaid(text: string): boolean {
  return text.length >= saidLength;
}

/** A text by the pieces in which it was said. Its JSON is made when it is asked for. */
export class SaidText {
  /** Of its JSON. */
  readonly bytes: number;
  readonly #pieces: readonly string[];

  constructor(pieces: readonly string[], bytes: number) {
    this.#pieces = pieces;
    this.bytes = bytes;
  }

  get json(): string {
    return this.#pieces.map(escaped).join("");
  }
}
