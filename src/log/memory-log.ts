/**
 * The log in memory, and with a journal its durable twin.
 *
 * Everything appended in one turn of the event loop, for all conversations, is one group: one write
 * to the journal, then the readers wake. A group is cut by age too, from inside `append`, because
 * LangChain can work through a whole answer without ever giving the turn back.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ChatEvent } from "../protocol/events.ts";
import { ArchivedRanges } from "./archive/archived-ranges.ts";
import { ConversationLog } from "./conversation-log.ts";
import type { Section } from "./journal/rows.ts";
import type { Journal } from "./journal.ts";
import {
  type ArchivedEvents,
  defaultLogBounds,
  type EventLog,
  type Forgotten,
  type LeftBehind,
  type LogBounds,
  type RecoveredRun,
  type RunWriter,
  type Slice,
} from "./log.ts";
import { Retention } from "./retention.ts";

const groupMaxAgeMs = 10;
/** Of the bytes that the log may hold, what it takes back at boot of an earlier process. */
const restoredShare = 1 / 8;

export interface MemoryLogOptions {
  readonly bounds?: Partial<LogBounds> | undefined;
  readonly journal?: Journal | undefined;
  /** Of what the journal has, what is not taken back: whoever wants it can read it from elsewhere. */
  readonly archived?: Iterable<ArchivedEvents> | undefined;
}

export class MemoryLog implements EventLog {
  readonly #conversations = new Map<string, ConversationLog>();
  readonly #retention: Retention;
  readonly #journal: Journal | undefined;
  readonly #bounds: LogBounds;
  #dirty = new Set<ConversationLog>();
  #groupStartedAt = 0;
  #scheduled: NodeJS.Immediate | undefined;
  /** A group is everybody's: what goes wrong in it is not for the bot to answer that began it. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  #committed = Promise.withResolvers<void>();
  #bytes = 0;

  constructor(options: MemoryLogOptions = {}) {
    this.#journal = options.journal;
    this.#bounds = { ...defaultLogBounds, ...options.bounds };
    this.#retention = new Retention({
      bounds: this.#bounds,
      evict: (run) => this.#evict(run.conversationId, run.lastSeq),
    });
    this.#restore(new ArchivedRanges(options.archived ?? []));
  }

  get healthy(): boolean {
    return this.#journal?.healthy ?? true;
  }

  /** Without a journal, nothing is left of an earlier process. */
  get mayLackEvents(): boolean {
    return this.#journal?.mayLackEvents ?? true;
  }

  get bytes(): number {
    return this.#bytes;
  }

  open(options: { conversationId: string; runId: string; after: number }): RunWriter {
    const conversation = this.#conversation(options.conversationId);
    this.#bytes -= conversation.placeAfter(options.after);
    conversation.writingRunId = options.runId;
    conversation.writing = Promise.withResolvers();
    const firstSeq = conversation.lastSeq + 1;
    const stop = () => {
      conversation.writingRunId = undefined;
      conversation.writing?.resolve();
    };
    return {
      get lastSeq() {
        return conversation.lastSeq;
      },
      append: (event) => this.#append(conversation, event),
      flushed: () => (this.#dirty.has(conversation) ? this.#committed.promise : Promise.resolve()),
      entries: () => conversation.between(firstSeq, conversation.lastSeq),
      abandon: stop,
      close: ({ archived } = { archived: false }) => {
        stop();
        this.#retain(conversation, archived);
      },
    };
  }

  read(conversationId: string, after: number): Slice {
    return (
      this.#conversations.get(conversationId)?.read(after) ?? { entries: [], oldest: undefined }
    );
  }

  subscribe(conversationId: string, onChange: () => void): () => void {
    const conversation = this.#conversation(conversationId);
    conversation.listeners.add(onChange);
    return () => {
      conversation.listeners.delete(onChange);
      this.#forgetIfUnused(conversation);
    };
  }

  async forget(what: readonly Forgotten[]): Promise<void> {
    for (const { conversationId, through } of what) {
      const conversation = this.#conversations.get(conversationId);
      if (conversation === undefined) continue;
      if (through === undefined) {
        if (conversation.writingRunId !== undefined) await conversation.writing?.promise;
        // It may have written until then.
        if (this.#dirty.has(conversation)) await this.#committed.promise;
      }
      const last = conversation.committedSeq;
      this.#evict(conversationId, Math.min(through ?? last, last));
    }
    await this.#journal?.erase(what.map(({ conversationId }) => conversationId));
  }

  leftBehind(): LeftBehind[] {
    const runs: LeftBehind[] = [];
    for (const { conversationId, last, lastSeq } of this.#conversations.values()) {
      if (last !== undefined && last.type !== "runEnd") {
        runs.push({ conversationId, runId: last.runId, lastSeq });
      }
    }
    return runs;
  }

  async *recover<Run extends RecoveredRun>(
    runs: readonly Run[],
    signal?: AbortSignal,
  ): AsyncGenerator<Run> {
    const absent = new Map<string, Run>();
    for (const run of runs) {
      const isHere = this.#conversations.get(run.conversationId)?.last?.runId === run.runId;
      if (isHere || this.#journal?.hasOlder !== true) yield run;
      else absent.set(run.conversationId, run);
    }
    if (absent.size > 0) yield* this.#recoverOlder(absent, signal);
    // Of those that are left, the store knows nothing, or knows how they ended.
    for (const conversation of this.#conversations.values()) {
      if (conversation.unended !== "none" && conversation.writingRunId === undefined) {
        this.#retain(conversation);
      }
    }
    this.#journal?.recovered();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#flush();
    this.#retention.close();
    this.#journal?.close();
  }

  #append(conversation: ConversationLog, event: ChatEvent): number {
    const grownBytes = conversation.append(event);
    this.#bytes += grownBytes;
    this.#retention.fit(this.#bytes);
    const now = performance.now();
    if (this.#dirty.size === 0) this.#groupStartedAt = now;
    this.#dirty.add(conversation);
    if (now - this.#groupStartedAt > groupMaxAgeMs) this.#inOwnContext(() => this.#flush());
    else this.#scheduled ??= this.#inOwnContext(() => setImmediate(() => this.#flush()));
    return grownBytes;
  }

  #flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#dirty.size === 0) return;
    if (this.#journal?.write(this.#dirty) === "later") {
      this.#scheduled = this.#inOwnContext(() => setImmediate(() => this.#flush()));
      return;
    }
    const { resolve } = this.#committed;
    const group = this.#dirty;
    this.#committed = Promise.withResolvers();
    this.#dirty = new Set();
    for (const conversation of group) conversation.commit();
    resolve();
  }

  #conversation(conversationId: string): ConversationLog {
    let conversation = this.#conversations.get(conversationId);
    if (conversation === undefined) {
      conversation = new ConversationLog(conversationId);
      this.#conversations.set(conversationId, conversation);
    }
    return conversation;
  }

  #evict(conversationId: string, lastSeq: number): number {
    const conversation = this.#conversations.get(conversationId);
    if (conversation === undefined) return this.#bytes;
    this.#bytes -= conversation.dropThrough(lastSeq);
    this.#forgetIfUnused(conversation);
    this.#journal?.compactSoon();
    return this.#bytes;
  }

  #forgetIfUnused(conversation: ConversationLog): void {
    const used =
      !conversation.isEmpty ||
      conversation.listeners.size > 0 ||
      conversation.writingRunId !== undefined;
    if (!used) this.#conversations.delete(conversation.conversationId);
  }

  #retain({ conversationId, lastSeq }: ConversationLog, archived = false): void {
    this.#retention.add({ conversationId, lastSeq }, { archived });
  }

  /** Takes back the newest of what an earlier process wrote, as far as it is whole. */
  #restore(archived: ArchivedRanges): void {
    if (this.#journal === undefined) return;
    const take = ({ conversationId, firstSeq, events }: Section) => {
      const isArchived = (index: number) => archived.has(conversationId, firstSeq + index);
      if (events.every((_event, index) => isArchived(index))) return undefined;
      const conversation = this.#conversation(conversationId);
      for (const [index, event] of events.entries()) {
        if (!isArchived(index)) this.#bytes += conversation.restore(firstSeq + index, event);
      }
      return conversation;
    };
    this.#journal.restoreNewest({ maxBytes: this.#restoredBytes, take, archived });
    const oldest = Date.now() - this.#bounds.retentionMs;
    const ended: { conversationId: string; lastSeq: number; endedAt: Date }[] = [];
    for (const conversation of this.#conversations.values()) {
      const { conversationId } = conversation;
      if (conversation.unended === "part" && this.#journal.hasOlder) {
        this.#evict(conversationId, conversation.lastSeq);
        continue;
      }
      for (const { seq: lastSeq, event } of conversation.ends) {
        if (event.type !== "runEnd") continue;
        const endedAt = new Date(event.at);
        if (endedAt.getTime() < oldest) this.#evict(conversationId, lastSeq);
        else ended.push({ conversationId, lastSeq, endedAt });
      }
    }
    ended.sort((one, other) => one.endedAt.getTime() - other.endedAt.getTime());
    for (const { endedAt, ...run } of ended) this.#retention.add(run, { endedAt });
  }

  /** @param absent by conversation */
  async *#recoverOlder<Run extends RecoveredRun>(
    absent: ReadonlyMap<string, Run>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Run> {
    using older = await this.#journal?.readOlder(new Set(absent.keys()), signal);
    for (const [conversationId, run] of absent) {
      const conversation = this.#conversation(conversationId);
      for (const { firstSeq, events } of older?.of(conversationId) ?? []) {
        for (const [index, event] of events.entries()) {
          const seq = firstSeq + index;
          if (seq >= run.firstSeq) this.#bytes += conversation.restore(seq, event);
        }
      }
      yield run;
      // They are in the store now: of what was too much for one boot, readers need not have it all.
      this.#retention.fit(this.#bytes, this.#restoredBytes);
      await nextTurn();
      signal?.throwIfAborted();
    }
  }

  get #restoredBytes(): number {
    return this.#bounds.maxBytes * restoredShare;
  }
}
