/**
 * The events of some conversations out of a journal of any size, in bounded memory: its rows hold
 * those of many at once, so they are read once, sorted into conversations, and where that is too much
 * for memory, into a file of its own.
 */
import { rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { ChatEvent } from "../../protocol/events.ts";
import type { RowReader } from "./row-reader.ts";
import { decodeRow, mayMention, type Section } from "./rows.ts";

/** Not imported by name, so that an older Node.js gets as far as open/require-node.ts. */
const { DatabaseSync: Database } = process.getBuiltinModule("node:sqlite");

type Events = Pick<Section, "firstSeq" | "events">;

/** Characters in memory at once. */
const maxSortedLength = 8 * 1024 * 1024;
/** How long others wait for their turn. */
const sliceMs = 10;

export class OlderEvents implements Disposable {
  readonly #path: string;
  readonly #sorted = new Map<string, string[]>();
  #sortedLength = 0;
  #file: DatabaseSync | undefined;

  /** @param path of the file, should one be needed */
  constructor(path: string) {
    this.#path = path;
  }

  /** @param to the first row that is not read */
  async read(
    rows: RowReader,
    options: { to: number; conversationIds: ReadonlySet<string>; signal: AbortSignal | undefined },
  ): Promise<void> {
    let startedAt = performance.now();
    for (const { id, events } of rows.between(0, options.to)) {
      if (performance.now() - startedAt > sliceMs) {
        await setImmediate();
        options.signal?.throwIfAborted();
        startedAt = performance.now();
      }
      if (typeof events === "string" && !mayMention(events, options.conversationIds)) continue;
      try {
        const sections = decodeRow(events);
        for (const section of sections) {
          if (options.conversationIds.has(section.conversationId)) this.#add(section);
        }
      } catch (cause) {
        rows.damaged(id, cause);
      }
    }
  }

  /** In the order in which they were written. */
  *of(conversationId: string): Generator<Events> {
    if (this.#file !== undefined) {
      this.#writeOut();
      const rows = this.#file.prepare(
        "select events from sorted where conversation_id = ? order by id",
      );
      for (const row of rows.iterate(conversationId)) yield* decode(String(row.events));
      return;
    }
    yield* decode(listOf(this.#sorted.get(conversationId) ?? []));
    this.#sorted.delete(conversationId);
  }

  [Symbol.dispose](): void {
    this.#sorted.clear();
    if (this.#file === undefined) return;
    this.#file.close();
    rmSync(this.#path, { force: true });
  }

  #add({ conversationId, firstSeq, events }: Section): void {
    const text = JSON.stringify([firstSeq, events]);
    const sorted = this.#sorted.get(conversationId);
    if (sorted === undefined) this.#sorted.set(conversationId, [text]);
    else sorted.push(text);
    this.#sortedLength += text.length;
    if (this.#sortedLength > maxSortedLength) this.#writeOut();
  }

  #writeOut(): void {
    this.#file ??= this.#create();
    const insert = this.#file.prepare("insert into sorted (conversation_id, events) values (?, ?)");
    this.#file.exec("begin");
    for (const [conversationId, all] of this.#sorted) {
      insert.run(conversationId, listOf(all));
    }
    this.#file.exec("commit");
    this.#sorted.clear();
    this.#sortedLength = 0;
  }

  #create(): DatabaseSync {
    rmSync(this.#path, { force: true });
    const file = new Database(this.#path);
    // Nobody needs it after a crash.
    file.exec("pragma journal_mode = off; pragma synchronous = off");
    file.exec("create table sorted (id integer primary key, conversation_id text, events text)");
    file.exec("create index sorted_by_conversation on sorted (conversation_id, id)");
    return file;
  }
}

function listOf(sorted: readonly string[]): string {
  return `[${sorted.join(",")}]`;
}

function decode(list: string): Events[] {
  const all = JSON.parse(list) as [firstSeq: number, events: ChatEvent[]][];
  return all.map(([firstSeq, events]) => ({ firstSeq, events }));
}

/** A process that was killed while it read leaves its file. */
export function removeLeftOver(path: string): void {
  rmSync(path, { force: true });
}
