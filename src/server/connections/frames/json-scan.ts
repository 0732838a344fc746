/**
 * Looks over JSON text before it is parsed. A frame of 256 KiB can have 100,000 values, whose parsing takes
 * a hundred times as long as that of a message of the same length; counting them takes a fraction of a
 * millisecond.
 */

export interface JsonScan {
  /** Elements of the outermost list; 1 where it is none. */
  readonly elements: number;
  /** Values at every depth, as far as commas tell. */
  readonly values: number;
  readonly depth: number;
  /** Where the values begin whose key is `id`, in the outermost object or the objects of the list. */
  readonly ids: readonly number[];
}

/** Levels that parsed text may have; a request has five. */
const maxDepth = 32;
/** Values of one request: all fields of an input, a list of all event types, its marks, and its envelope. */
const maxValuesPerRequest = 128;
/** Values in the text of many requests, for each: few have a list. */
const maxValuesOfEach = 64;
const maxIds = 512;

/** Whether parsing it could cost much more than requests do. */
export function isTooComplex({ values, depth }: JsonScan, maxRequests: number): boolean {
  return depth > maxDepth || values > Math.max(maxValuesPerRequest, maxRequests * maxValuesOfEach);
}

export function scanJson(json: string): JsonScan {
  let [elements, values, depth, deepest] = [1, 1, 0, 0];
  const start = json.search(/\S/);
  const isList = json[start] === "[";
  const requestDepth = isList ? 2 : 1;
  const ids: number[] = [];
  for (let position = Math.max(start, 0); position < json.length; position++) {
    switch (json.charCodeAt(position)) {
      case quote:
        if (depth === requestDepth && ids.length < maxIds && json.startsWith(idKey, position)) {
          ids.push(position + idKey.length);
        }
        position = endOfString(json, position);
        break;
      case comma:
        values++;
        if (isList && depth === 1) elements++;
        break;
      case openBracket:
      case openBrace:
        deepest = Math.max(deepest, ++depth);
        break;
      case closeBracket:
      case closeBrace:
        depth--;
        break;
    }
  }
  return { elements, values, depth: deepest, ids };
}

/** A request's id of one of the scan's places; undefined where it is none that is answered. */
export function idAt(json: string, position: number): unknown {
  idValue.lastIndex = position;
  const [, text] = idValue.exec(json) ?? [];
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

const idKey = '"id"';
const idValue = /\s{0,8}:\s{0,8}("(?:[^"\\]|\\.){0,64}"|-?\d{1,16})/y;
const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The place of the quote that ends the string; the text's end where none does. */
function endOfString(json: string, start: number): number {
  for (let end = start; ; ) {
    end = json.indexOf('"', end + 1);
    if (end === -1) return json.length;
    let escapes = 0;
    while (json.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
}
