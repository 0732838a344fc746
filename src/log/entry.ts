/** One entry of a conversation's log: an event that became JSON text once, when it was appended. */
import type { ChatEvent, EventType } from "../protocol/events.ts";
import { callOf, isTextPiece, type TextPiece } from "../protocol/fold/text-pieces.ts";
import { escaped, owned, SaidText } from "./json-text.ts";
import { cutJson, isLongEvent, type LongEvent, longEventJson } from "./long-event.ts";

const tail = '"}';
/** How all JSON begins that an event has become. */
const jsonHead = /^\{"type":"(\w+)","runId":"([^"\\]+)"/;
/** Of events that may be pieces of a text. */
const textTypes: Readonly<Record<TextPiece["type"], true>> = {
  ...{ token: true, reasoning: true, toolProgress: true, toolInput: true },
};
/** Bytes from which an entry takes in no more: a reader holds one, whatever a run's size. */
const ownMaxBytes = 32 * 1024;
/** Entries that are searched for one whose head a new one can share: so many spans may alternate. */
const parallelSpans = 16;

/** What a span's entries have in common: held once, since a token's entry is small and there are many. */
interface SpanHead {
  readonly type: EventType;
  readonly runId: string;
  /** Undefined on events that never merge. */
  readonly spanId: string | undefined;
  /** Of a tool call's arguments: the call. */
  readonly call?: string | undefined;
  /** JSON up to the text's first character; else the whole JSON. */
  readonly head: string;
  readonly headBytes: number;
  /** An event whose JSON is not kept, since its text is held by others as well. */
  readonly long?: LongEvent | undefined;
}

export class LogEntry {
  readonly seq: number;
  readonly #span: SpanHead;
  /**
   * The escaped text without its quotes, and what `extend` has added: joined once it is asked for,
   * since a string grown by `+=` keeps each part. Undefined on events that never merge.
   */
  #body: string | string[] | SaidText | undefined;
  #bytes: number;

  private constructor(seq: number, span: SpanHead, body?: string, sharesHead = false) {
    this.seq = seq;
    this.#span = span;
    this.#body = body;
    this.#bytes = sharesHead ? 0 : span.headBytes;
    if (body !== undefined) this.#bytes += Buffer.byteLength(body);
  }

  /** @param earlier of the same conversation: the head of one of the same span is shared. */
  static of(seq: number, event: ChatEvent, earlier: readonly LogEntry[] = []): LogEntry {
    if (!isTextPiece(event)) {
      const span = isLongEvent(event) ? spanOfLong(event) : spanOf(event, JSON.stringify(event));
      return new LogEntry(seq, span);
    }
    const body = escaped(event.text);
    const oldest = Math.max(0, earlier.length - parallelSpans);
    for (let index = earlier.length - 1; index >= oldest; index--) {
      const neighbour = earlier[index];
      if (neighbour?.isNeighbour(event) === true)
        return new LogEntry(seq, neighbour.#span, body, true);
    }
    return new LogEntry(seq, spanOf(event, headOf(event), event), body);
  }

  /** The entry that a storage kept as JSON text. @param earlier as for `of` */
  static parse(seq: number, json: string, earlier?: readonly LogEntry[]): LogEntry {
    return LogEntry.of(seq, JSON.parse(json) as ChatEvent, earlier);
  }

  /**
   * As `parse`, of JSON that an entry gave and that is known to be undamaged: only texts are parsed.
   */
  static unpack(seq: number, json: string, earlier?: readonly LogEntry[]): LogEntry {
    const [, type = "", runId] = jsonHead.exec(json) ?? [];
    if (runId === undefined || type in textTypes) return LogEntry.parse(seq, json, earlier);
    return new LogEntry(seq, spanOf({ type: type as EventType, runId }, json));
  }

  /** Two neighbours as one, at the place of the second. */
  static joined(first: LogEntry, rest: readonly LogEntry[]): LogEntry {
    const last = rest.at(-1);
    if (last === undefined) return first;
    let body = first.#text;
    for (const entry of rest) body += entry.#text;
    return new LogEntry(last.seq, first.#span, body);
  }

  get type(): EventType {
    return this.#span.type;
  }

  get runId(): string {
    return this.#span.runId;
  }

  get json(): string {
    const { head, long } = this.#span;
    if (long !== undefined) return [...longEventJson(long)].join("");
    return this.#body === undefined ? head : head + this.#text + tail;
  }

  /** Its JSON piece by piece: of a long one, each is made when it is asked for, and the whole never. */
  jsonPieces(): Iterable<string> {
    const { head, long } = this.#span;
    if (long !== undefined) return longEventJson(long);
    if (this.#body === undefined) return cutJson(head);
    const text = this.#text;
    return text.length < ownMaxBytes ? [head, text, tail] : cutJson(this.json);
  }

  /** The JSON of its text, as `jsonPieces`. */
  textPieces(): Iterable<string> {
    return ['"', this.#text, '"'];
  }

  /** The JSON of its text; of an entry that can have a neighbour, which `continued` takes. */
  get textJson(): string {
    return `"${this.#text}"`;
  }

  /** The entry that continues this one's text, of which a storage kept that alone. */
  continued(seq: number, textJson: string): LogEntry {
    const isText = textJson.length > 1 && textJson.endsWith('"');
    if (!isText || this.#span.spanId === undefined) throw new Error("a line continues no text");
    return new LogEntry(seq, this.#span, textJson.slice(1, -1), true);
  }

  /**
   * The entry after this one, of which another process's entry gave the JSON: as `parse`, but where it
   * continues this one's text, that is only cut out.
   */
  followedBy(seq: number, json: string): LogEntry {
    const { head, spanId } = this.#span;
    if (spanId !== undefined && json.startsWith(head) && json.endsWith(tail)) {
      const body = json.slice(head.length, -tail.length);
      // A quotation mark may be the text's, or end it before another field.
      if (!body.includes('"')) return new LogEntry(seq, this.#span, owned(body), true);
    }
    return LogEntry.parse(seq, json, [this]);
  }

  get event(): ChatEvent {
    return JSON.parse(this.json) as ChatEvent;
  }

  /** Bytes of its JSON as UTF-8, as far as it holds it for itself; a shared head does not count. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of its JSON as UTF-8, a shared head included. */
  get jsonBytes(): number {
    const { headBytes } = this.#span;
    return this.#body === undefined ? headBytes : headBytes + this.#textBytes + tail.length;
  }

  /** Whether the event continues this entry's text. */
  isNeighbour(event: ChatEvent): event is TextPiece {
    const { type, runId, spanId, call } = this.#span;
    return (
      event.type === type &&
      isTextPiece(event) &&
      event.spanId === spanId &&
      event.runId === runId &&
      callOf(event) === call
    );
  }

  /** Whether the entry continues this one's text. */
  continuesWith(next: LogEntry): boolean {
    const [ours, theirs] = [this.#span, next.#span];
    if (ours.spanId === undefined) return false;
    return (
      ours === theirs ||
      (ours.spanId === theirs.spanId &&
        ours.type === theirs.type &&
        ours.runId === theirs.runId &&
        ours.call === theirs.call)
    );
  }

  /** Whether it takes in an event: a neighbour's, until it is as much as a reader should be given at once. */
  takesIn(event: ChatEvent): event is TextPiece {
    return this.#bytes < ownMaxBytes && this.isNeighbour(event);
  }

  /** Takes a neighbour's text in. Only before anybody has read the entry. */
  extend(event: TextPiece): void {
    const text = escaped(event.text);
    this.#bytes += Buffer.byteLength(text);
    if (Array.isArray(this.#body)) this.#body.push(text);
    else this.#body = [this.#text, text];
  }

  get #text(): string {
    if (Array.isArray(this.#body)) this.#body = this.#body.join("");
    return this.#body instanceof SaidText ? this.#body.json : (this.#body ?? "");
  }

  get #textBytes(): number {
    return this.#body instanceof SaidText ? this.#body.bytes : Buffer.byteLength(this.#text);
  }

  /** Nothing extends it any more. */
  settle(): void {
    void this.#text;
  }

  /** Keeps no JSON of its text any more: those who are behind have it made of the pieces in which it was said. */
  holdAsSaid(pieces: readonly string[]): void {
    this.#body = new SaidText(pieces, this.#textBytes);
  }
}

/** @param piece of events that merge: what a neighbour must be of */
function spanOf(
  { type, runId }: Pick<SpanHead, "type" | "runId">,
  head: string,
  piece?: TextPiece,
): SpanHead {
  const call = piece === undefined ? undefined : callOf(piece);
  return { type, runId, spanId: piece?.spanId, call, head, headBytes: Buffer.byteLength(head) };
}

function spanOfLong(long: LongEvent): SpanHead {
  const { type, runId } = long;
  let headBytes = 0;
  for (const piece of longEventJson(long)) headBytes += Buffer.byteLength(piece);
  return { type, runId, spanId: undefined, head: "", headBytes, long };
}

function headOf(piece: TextPiece): string {
  const { type, runId, spanId } = piece;
  const head = { type, runId, spanId, toolCallId: callOf(piece), text: "" };
  return JSON.stringify(head).slice(0, -tail.length);
}
