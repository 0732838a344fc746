/**
 * The log in memory, and with a journal its durable twin.
 *
 * Everything appended in one turn of the event loop, for all conversations, is one group: one write
 * to the journal, then the readers wake. A group is cut by age too, from inside `append`, because
 * LangChain can work through a whole answer without ever giving the turn back.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ChatEvent } from "../protocol/events.ts";
import { ConversationLog } from "./conversation-log.ts";
import { LogEntry } from "./entry.ts";
import type { Journal } from "./journal.ts";
import {
  defaultLogBounds,
  type EventLog,
  type LeftBehind,
  type LogBounds,
  type RunWriter,
  type Slice,
} from "./log.ts";
import { Retention } from "./retention.ts";

const groupMaxAgeMs = 10;

export class MemoryLog implements EventLog {
  readonly #conversations = new Map<string, ConversationLog>();
  readonly #retention: Retention;
  readonly #journal: Journal | undefined;
  #dirty = new Set<ConversationLog>();
  #groupStartedAt = 0;
  #scheduled: NodeJS.Immediate | undefined;
  /** A group is everybody's: what goes wrong in it is not for the bot to answer that began it. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  #committed = Promise.withResolvers<void>();
  #bytes = 0;

  constructor(
    options: { bounds?: Partial<LogBounds> | undefined; journal?: Journal | undefined } = {},
  ) {
    this.#journal = options.journal;
    this.#retention = new Retention({
      bounds: { ...defaultLogBounds, ...options.bounds },
      evict: (run) => this.#evict(run.conversationId, run.lastSeq),
    });
    this.#restore();
  }

  get healthy(): boolean {
    return this.#journal?.healthy ?? true;
  }

  /** Without a journal, nothing is left of an earlier process. */
  get mayLackEvents(): boolean {
    return this.#journal === undefined;
  }

  /** Bytes of all events in memory, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  open(options: { conversationId: string; runId: string; after: number }): RunWriter {
    const conversation = this.#conversation(options.conversationId);
    conversation.placeAfter(options.after);
    conversation.writingRunId = options.runId;
    const pin = this.#journal?.pin("now");
    return {
      get lastSeq() {
        return conversation.lastSeq;
      },
      append: (event) => this.#append(conversation, event),
      flushed: () => (this.#dirty.has(conversation) ? this.#committed.promise : Promise.resolve()),
      abandon: () => {
        conversation.writingRunId = undefined;
        pin?.release();
      },
      close: () => {
        conversation.writingRunId = undefined;
        this.#retention.add({
          conversationId: conversation.conversationId,
          lastSeq: conversation.lastSeq,
          release: () => pin?.release(),
        });
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

  leftBehind(): LeftBehind[] {
    const runs: LeftBehind[] = [];
    for (const { conversationId, last, lastSeq } of this.#conversations.values()) {
      if (last !== undefined && last.type !== "runEnd") {
        runs.push({ conversationId, runId: last.runId, lastSeq });
      }
    }
    return runs;
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
    return this.#bytes;
  }

  #forgetIfUnused(conversation: ConversationLog): void {
    const used =
      !conversation.isEmpty ||
      conversation.listeners.size > 0 ||
      conversation.writingRunId !== undefined;
    if (!used) this.#conversations.delete(conversation.conversationId);
  }

  #restore(): void {
    if (this.#journal === undefined) return;
    for (const { conversationId, seq, json } of this.#journal.restore()) {
      this.#bytes += this.#conversation(conversationId).restore(LogEntry.parse(seq, json));
    }
    for (const { conversationId, lastSeq } of this.#conversations.values()) {
      const pin = this.#journal.pin("start");
      this.#retention.add({ conversationId, lastSeq, release: () => pin.release() });
    }
  }
}
