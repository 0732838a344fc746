/**
 * What the journal's rows are needed for. Rows next to each other are a segment; a segment knows of
 * which conversations it has events, and up to which number. When those have left the log in memory,
 * it is deleted; when most of it has, what is left is written again, from memory, as one row. So a run
 * in progress keeps its own events on disk, and nobody else's.
 */
import type { ConversationLog } from "../conversation-log.ts";

interface Part {
  readonly firstSeq: number;
  lastSeq: number;
  /** Characters of its JSON. */
  length: number;
}

export interface JournalSegment {
  /** The first row's id. */
  readonly firstId: number;
  /** The id after the last row's. */
  endId: number;
  /** Characters of its rows. */
  length: number;
  readonly parts: Map<ConversationLog, Part>;
  /** Whose events its rows have, needed or not. */
  readonly conversationIds: Set<string>;
  /** Whether there is something in it that has to go now, however much of it is needed. */
  hasErased: boolean;
}

/** What is to be done to the rows of a segment. */
export interface Compaction {
  readonly segment: JournalSegment;
  /** What is still needed of it. */
  readonly kept: readonly { conversation: ConversationLog; firstSeq: number; lastSeq: number }[];
}

/** Characters after which a segment ends: as many are written again at once, at the most. */
const segmentLength = 1024 * 1024;

export class JournalSegments {
  readonly #segments: JournalSegment[] = [];

  /** Counts a row in, or more of the last one. Ids ascend; a row is in one segment alone. */
  row(id: number, length: number): JournalSegment {
    const last = this.#segments.at(-1);
    if (last !== undefined && (last.length < segmentLength || id < last.endId)) {
      last.endId = id + 1;
      last.length += length;
      return last;
    }
    const segment = {
      ...{ firstId: id, endId: id + 1, length, parts: new Map() },
      ...{ conversationIds: new Set<string>(), hasErased: false },
    };
    this.#segments.push(segment);
    return segment;
  }

  /** What has left the log of these conversations is due, also where most of its segment is needed. */
  erase(conversationIds: ReadonlySet<string>): void {
    for (const segment of this.#segments) {
      const has = [...conversationIds].some((id) => segment.conversationIds.has(id));
      if (has) segment.hasErased = true;
    }
  }

  /**
   * What is to be rewritten, or deleted if nothing is kept, oldest first. Undefined after each segment
   * that is as it should be: looking takes its time, too.
   */
  *due(): Generator<Compaction | undefined> {
    for (let index = 0; index < this.#segments.length; ) {
      const segment = this.#segments[index];
      if (segment === undefined) return;
      const neededLength = forgetWhatLeft(segment);
      const isDue = segment.hasErased || 2 * neededLength <= segment.length;
      // With what the next one has it may be due after all: it is looked at again.
      const isJoined = !isDue && this.#joinWithNext(index);
      yield isDue ? { segment, kept: [...segment.parts].map(keptOf) } : undefined;
      if (!isJoined && this.#segments[index] === segment) index += 1;
    }
  }

  /** @param length of the one row that is there now, 0 if there is none */
  compacted(segment: JournalSegment, length: number): void {
    if (length === 0) this.#segments.splice(this.#segments.indexOf(segment), 1);
    else segment.length = length;
    segment.hasErased = false;
    segment.conversationIds.clear();
    for (const { conversationId } of segment.parts.keys()) {
      segment.conversationIds.add(conversationId);
    }
  }

  /**
   * Small ones are one, so that what a long run leaves is not a segment for each MiB of others'.
   * @returns whether the two are one now
   */
  #joinWithNext(index: number): boolean {
    const [segment, next] = this.#segments.slice(index, index + 2);
    if (segment === undefined || next === undefined) return false;
    const isLast = index + 2 === this.#segments.length;
    if (isLast || segment.length + next.length > segmentLength) return false;
    for (const conversationId of next.conversationIds) segment.conversationIds.add(conversationId);
    segment.hasErased ||= next.hasErased;
    for (const [conversation, { firstSeq, lastSeq, length }] of next.parts) {
      note(segment, conversation, { firstSeq, lastSeq, length });
    }
    segment.endId = next.endId;
    segment.length += next.length;
    this.#segments.splice(index + 1, 1);
    return true;
  }
}

/** Says that the segment has these events of the conversation. */
export function note(segment: JournalSegment, conversation: ConversationLog, part: Part): void {
  segment.conversationIds.add(conversation.conversationId);
  const known = segment.parts.get(conversation);
  if (known === undefined) segment.parts.set(conversation, part);
  else {
    known.lastSeq = part.lastSeq;
    known.length += part.length;
  }
}

/** @returns characters of what is still needed */
function forgetWhatLeft({ parts }: JournalSegment): number {
  let length = 0;
  for (const [conversation, part] of parts) {
    if (conversation.oldest > part.lastSeq) parts.delete(conversation);
    else length += part.length;
  }
  return length;
}

function keptOf([conversation, { firstSeq, lastSeq }]: [ConversationLog, Part]) {
  return { conversation, firstSeq: Math.max(firstSeq, conversation.oldest), lastSeq };
}
