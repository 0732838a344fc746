/** What one server-sent event says, from its bytes. */

export interface SseEvent {
  /** Its name, where it has one. */
  readonly name: string | undefined;
  readonly data: string;
}

const lf = 0x0a;
const cr = 0x0d;
const plainStart = Buffer.from("data: ");
const plainStartWord = plainStart.readUInt32LE(0);

/**
 * `undefined` for an event without data: a comment, a blank line, an id or a retry alone. The bytes
 * are those up to and with the event's blank line, or what was left at the end of the stream.
 */
export function readSseEvent(event: Buffer): SseEvent | undefined {
  return readPlainEvent(event) ?? readFields(event);
}

/** Nearly every event that a model provider sends: one line of data, ended by two LF. */
function readPlainEvent(event: Buffer): SseEvent | undefined {
  const lineEnd = event.length - 2;
  const isPlain =
    lineEnd >= plainStart.length &&
    event.readUInt32LE(0) === plainStartWord &&
    event[4] === plainStart[4] &&
    event[5] === plainStart[5] &&
    event.indexOf(lf) === lineEnd &&
    event[lineEnd + 1] === lf &&
    event.indexOf(cr) === -1;
  if (!isPlain) return undefined;
  return { name: undefined, data: event.toString("utf8", plainStart.length, lineEnd) };
}

function readFields(event: Buffer): SseEvent | undefined {
  let name: string | undefined;
  const data: string[] = [];
  for (const line of linesOf(event)) {
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }
  if (data.length === 0 && !name) return undefined;
  return { name, data: data.join("\n") };
}

/** Decoded line by line: each may begin with a byte order mark, which is no part of it. */
function linesOf(event: Buffer): string[] {
  const lines: string[] = [];
  const decoder = new TextDecoder();
  let start = 0;
  for (let at = 0; at < event.length; at++) {
    const byte = event[at];
    if (byte !== lf && byte !== cr) continue;
    lines.push(decoder.decode(event.subarray(start, at)));
    if (byte === cr && event[at + 1] === lf) at += 1;
    start = at + 1;
  }
  if (start < event.length) lines.push(decoder.decode(event.subarray(start)));
  return lines;
}
