/**
 * A row of the journal: for each conversation of a group its id, the number of the first event, the
 * events. Written from JSON text that is there already; read with the suspicion that a file deserves.
 */
import { type ChatEvent, chatEvent, eventTypes } from "../../protocol/events.ts";
import type { ArchivedRanges } from "../archive/archived-ranges.ts";
import type { LogEntry } from "../entry.ts";

/** What a row has of one conversation. */
export interface Section {
  readonly conversationId: string;
  readonly firstSeq: number;
  readonly events: readonly ChatEvent[];
  /** Characters of its JSON, roughly. */
  readonly length: number;
}

/** Bytes from which an entry is long. */
const longBytes = 2 * 1024;

const knownTypes: ReadonlySet<unknown> = new Set(eventTypes);

/**
 * The text of one row, made of JSON that is there already: it is spliced, not encoded again. Long entries give
 * theirs when the row is written.
 */
export class RowText {
  #pieces: string[] = [];
  /** What comes before those, as far as a long entry. */
  readonly #before: (string | LogEntry)[] = [];
  #length = 0;

  /** Roughly its characters; 0 while there is nothing in it. */
  get length(): number {
    return this.#length;
  }

  /** Whether it has long entries: it is better written piece by piece then, than made as one string. */
  get isLong(): boolean {
    return this.#before.length > 0;
  }

  /** @returns by how much it grew */
  add(conversationId: string, entries: readonly LogEntry[]): number {
    const before = this.#length;
    const begin = before === 0 ? "[" : ",";
    this.#push(`${begin}[${JSON.stringify(conversationId)},${entries[0]?.seq ?? 0},[`);
    let isFirst = true;
    for (const entry of entries) {
      if (!isFirst) this.#push(",");
      isFirst = false;
      if (entry.bytes < longBytes) this.#push(entry.json);
      else this.#pushLong(entry);
    }
    this.#push("]]");
    return this.#length - before;
  }

  /** Nothing is added any more. */
  end(): void {
    this.#push("]");
  }

  get text(): string {
    const after = this.#pieces.join("");
    return this.isLong ? [...this.#piecesBefore(), after].join("") : after;
  }

  *pieces(): Generator<string> {
    yield* this.#piecesBefore();
    yield this.#pieces.join("");
  }

  *#piecesBefore(): Generator<string> {
    for (const piece of this.#before) {
      if (typeof piece === "string") yield piece;
      else yield* piece.jsonPieces();
    }
  }

  #push(piece: string): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  #pushLong(entry: LogEntry): void {
    this.#before.push(this.#pieces.join(""), entry);
    this.#pieces = [];
    this.#length += entry.jsonBytes;
  }
}

/** @throws Error what is wrong with it */
export function decodeRow(text: unknown): Section[] {
  if (typeof text !== "string") throw new Error("it is no text");
  const row: unknown = JSON.parse(text);
  if (!Array.isArray(row)) throw new Error("it is no list");
  const sections = row.map(decodeSection);
  const length = sections.length === 0 ? 0 : Math.ceil(text.length / sections.length);
  return sections.map((section) => ({ ...section, length }));
}

function decodeSection(section: unknown): Omit<Section, "length"> {
  if (!Array.isArray(section)) throw new Error("a part of it is no list");
  const [conversationId, firstSeq, events]: unknown[] = section;
  if (typeof conversationId !== "string") throw new Error("a conversation's id is no text");
  if (!Number.isSafeInteger(firstSeq) || Number(firstSeq) < 1) {
    throw new Error("an event's number is none");
  }
  if (!Array.isArray(events) || !events.every(isEvent)) throw new Error("an event is none");
  return { conversationId, firstSeq: Number(firstSeq), events };
}

/** Most events are tokens, of which a schema would make ten times the work. */
function isToken(value: object): boolean {
  const { type, runId, spanId, text }: Partial<Record<string, unknown>> = value;
  const isText = type === "token" && typeof text === "string";
  return isText && typeof runId === "string" && typeof spanId === "string";
}

/** Types that this version does not know come from a later one, and are passed on as they are. */
function isEvent(value: unknown): value is ChatEvent {
  if (typeof value !== "object" || value === null) return false;
  if (isToken(value)) return true;
  if (!("type" in value) || !("runId" in value)) return false;
  if (knownTypes.has(value.type)) return chatEvent.safeParse(value).success;
  return typeof value.type === "string" && typeof value.runId === "string";
}

const sectionHead = /\["([^"\\]+)",(\d+),\[/g;

/**
 * Whether the row may have events of one of the conversations: much less work than to parse it.
 * @param conversationIds UUIDs, which JSON writes as they are
 */
export function mayMention(text: string, conversationIds: ReadonlySet<string>): boolean {
  for (const [, id] of text.matchAll(sectionHead)) {
    if (id !== undefined && conversationIds.has(id)) return true;
  }
  return false;
}

/**
 * Whose events the row has, where all of them are archived: found without parsing it. Undefined where it
 * may have others. A section is numbered by its first event, and goes on into another run only by that
 * one's start.
 */
export function archivedSections(
  text: unknown,
  archived: ArchivedRanges,
): ReadonlySet<string> | undefined {
  if (typeof text !== "string" || text.includes('"type":"runStart"')) return undefined;
  const conversationIds = new Set<string>();
  for (const [, id = "", firstSeq] of text.matchAll(sectionHead)) {
    if (!archived.has(id, Number(firstSeq))) return undefined;
    conversationIds.add(id);
  }
  return conversationIds.size > 0 ? conversationIds : undefined;
}
