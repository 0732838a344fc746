/** One entry of a conversation's log: an event that became JSON text once, when it was appended. */
import type { ChatEvent, EventOf, EventType } from "../protocol/events.ts";

/** Events of which neighbours of one span may be joined by joining their texts. */
type Mergeable = EventOf<"token"> | EventOf<"reasoning">;

const tail = '"}';
/** How many spans may speak in turns before each new entry of theirs holds its own JSON head. */
const parallelSpans = 16;

export class LogEntry {
  readonly seq: number;
  readonly type: EventType;
  readonly runId: string;
  /** The span that speaks; undefined on events that never merge. */
  readonly #spanId: string | undefined;
  /** JSON up to the text's first character, shared by a span's entries; else the whole JSON. */
  readonly #head: string;
  /** The escaped text without its quotes; undefined on events that never merge. */
  #body: string | undefined;
  /** What `extend` has added. Joined to the body at once: a string grown by `+=` keeps each part. */
  #added: string[] | undefined;
  #bytes: number;

  private constructor(
    at: { seq: number; type: EventType; runId: string },
    json: { head: string; spanId?: string | undefined; body?: string; sharesHead?: boolean },
  ) {
    this.seq = at.seq;
    this.type = at.type;
    this.runId = at.runId;
    this.#head = json.head;
    this.#spanId = json.spanId;
    this.#body = json.body;
    this.#bytes = json.sharesHead === true ? 0 : Buffer.byteLength(json.head);
    if (json.body !== undefined) this.#bytes += Buffer.byteLength(json.body);
  }

  /** @param earlier of the same conversation: one of the same span lends its JSON head. */
  static of(seq: number, event: ChatEvent, earlier: readonly LogEntry[] = []): LogEntry {
    const { type, runId } = event;
    if (type !== "token" && type !== "reasoning") {
      return new LogEntry({ seq, type, runId }, { head: JSON.stringify(event) });
    }
    const { spanId } = event;
    const body = escaped(event.text);
    const oldest = Math.max(0, earlier.length - parallelSpans);
    for (let index = earlier.length - 1; index >= oldest; index--) {
      const kin = earlier[index];
      if (kin?.isNeighbour(event) !== true) continue;
      return new LogEntry(
        { seq, type, runId },
        { head: kin.#head, spanId, body, sharesHead: true },
      );
    }
    return new LogEntry({ seq, type, runId }, { head: headOf(event), spanId, body });
  }

  /** The entry that a storage kept as JSON text. */
  static parse(seq: number, json: string): LogEntry {
    return LogEntry.of(seq, JSON.parse(json) as ChatEvent);
  }

  /** Two neighbours as one, at the place of the second. */
  static joined(first: LogEntry, rest: readonly LogEntry[]): LogEntry {
    const last = rest.at(-1);
    if (last === undefined) return first;
    let body = first.#text;
    for (const entry of rest) body += entry.#text;
    return new LogEntry(last, { head: first.#head, spanId: first.#spanId, body });
  }

  get json(): string {
    return this.#body === undefined ? this.#head : this.#head + this.#text + tail;
  }

  get event(): ChatEvent {
    return JSON.parse(this.json) as ChatEvent;
  }

  /** Bytes of its JSON as UTF-8, as far as it holds it for itself; a shared head does not count. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the event continues this entry's text. */
  isNeighbour(event: ChatEvent): event is Mergeable {
    return (
      this.#spanId !== undefined &&
      event.type === this.type &&
      (event.type === "token" || event.type === "reasoning") &&
      event.spanId === this.#spanId &&
      event.runId === this.runId
    );
  }

  /** Whether the entry continues this one's text. */
  continuesWith(next: LogEntry): boolean {
    return (
      this.#spanId !== undefined &&
      this.#spanId === next.#spanId &&
      this.type === next.type &&
      this.runId === next.runId
    );
  }

  /** Takes a neighbour's text in. Only before anybody has read the entry. */
  extend(event: Mergeable): void {
    const text = escaped(event.text);
    this.#bytes += Buffer.byteLength(text);
    this.#added ??= [];
    this.#added.push(text);
  }

  get #text(): string {
    const added = this.#added;
    if (added === undefined) return this.#body ?? "";
    added.unshift(this.#body ?? "");
    this.#body = added.join("");
    this.#added = undefined;
    return this.#body;
  }

  /** Nothing extends it any more. */
  settle(): void {
    void this.#text;
  }
}

function headOf({ type, runId, spanId }: Mergeable): string {
  return JSON.stringify({ type, runId, spanId, text: "" }).slice(0, -tail.length);
}

/**
 * A string's JSON without the quotes. Half a surrogate pair is escaped as `\udXXX`, so that two
 * halves that arrive apart are whole again once they are joined and parsed.
 */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
