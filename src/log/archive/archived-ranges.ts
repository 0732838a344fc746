/** Which events are archived, to be asked for each of them: at a boot, of those that the journal has. */
import type { ArchivedEvents } from "../log.ts";

export class ArchivedRanges {
  readonly #byConversation = new Map<string, ArchivedEvents[]>();

  constructor(archived: Iterable<ArchivedEvents>) {
    for (const range of archived) {
      const known = this.#byConversation.get(range.conversationId);
      if (known === undefined) this.#byConversation.set(range.conversationId, [range]);
      else known.push(range);
    }
  }

  has(conversationId: string, seq: number): boolean {
    const ranges = this.#byConversation.get(conversationId) ?? [];
    return ranges.some(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq);
  }
}
