/**
 * The JSON of long events, piece by piece. The end of a run has all of its answer: as one JSON text it would be
 * there again beside the answer, which the run holds, and once more in whatever it is written to.
 */
import type { ChatEvent, EventOf } from "../protocol/events.ts";

export type LongEvent = EventOf<"runEnd">;

/** Characters from which an event is long. */
const longLength = 32 * 1024;
/** Characters of a piece, so that what is made of it is mostly less than 32 KiB. */
const pieceLength = 30 * 1024;

export function isLongEvent(event: ChatEvent): event is LongEvent {
  return event.type === "runEnd" && event.text.length >= longLength;
}

/** The text comes last, whatever its place in the event. */
export function* longEventJson({ text, ...others }: LongEvent): Generator<string> {
  yield `${JSON.stringify(others).slice(0, -1)},"text":"`;
  for (const piece of cut(text)) yield JSON.stringify(piece).slice(1, -1);
  yield '"}';
}

/** A JSON text that is there already. */
export function cutJson(json: string): Iterable<string> {
  return json.length < longLength ? [json] : cut(json);
}

function* cut(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = start + pieceLength;
    // Half a surrogate pair by itself would be another character as UTF-8.
    const splitsPair = end < text.length && isHighSurrogate(text.charCodeAt(end - 1));
    const next = splitsPair ? end - 1 : end;
    yield text.slice(start, next);
    start = next;
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
