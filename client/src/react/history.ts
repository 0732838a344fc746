/** The messages that the server keeps, as far back as they were asked for. */
import type { Span } from "../../generated/fold/run-fold.js";
import type { Message } from "../types.ts";
import { type ChatMessage, fromHistory } from "./turn.ts";

/** A page of a conversation's messages: the newest, or those before a cursor. */
export type ReadPage = (
  cursor: string | undefined,
) => Promise<{ readonly items: readonly Message[]; readonly nextCursor?: string | undefined }>;

export class History {
  readonly #read: ReadPage;
  #messages: readonly ChatMessage[];
  /** Where the messages before the first one are, if there are any. */
  #cursor: string | undefined;
  /** Whether the cursor was ever told: messages that an application brings come without. */
  #knowsCursor = false;
  /** Loads begun, and the one whose page is shown. */
  #begun = 0;
  #shown = 0;
  #loadingEarlier: Promise<void> | undefined;
  /** What happened inside runs, as far as it was loaded. */
  readonly #traces = new Map<string, readonly Span[]>();

  constructor(read: ReadPage, initialMessages: readonly Message[] = []) {
    this.#read = read;
    this.#messages = initialMessages.map((message) => fromHistory(message));
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  get hasEarlier(): boolean {
    return this.#cursor !== undefined;
  }

  /** What happened inside a run, for its answer. */
  trace(runId: string, spans: readonly Span[]): void {
    this.#traces.set(runId, spans);
    this.#messages = this.#messages.map((message) =>
      message.role === "ai" && message.runId === runId
        ? { ...message, spans, isTraced: true }
        : message,
    );
  }

  /** Loads the newest page. Of several loads the one that was begun last is shown. */
  async load(): Promise<void> {
    const number = ++this.#begun;
    const { items, nextCursor } = await this.#read(undefined);
    if (number < this.#shown) return;
    this.#shown = number;
    const page = items.map(this.#traced);
    // Earlier pages stay where the new one joins them; otherwise there would be a gap.
    const joint = this.#messages.findIndex(({ id }) => id === page[0]?.id);
    this.#messages = [...this.#messages.slice(0, Math.max(0, joint)), ...page];
    if (joint < 0 || !this.#knowsCursor) this.#cursor = nextCursor;
    this.#knowsCursor = true;
  }

  /** Loads the page before the first message, if there is one; one load at a time. */
  loadEarlier(): Promise<void> {
    this.#loadingEarlier ??= this.#loadEarlier().finally(() => {
      this.#loadingEarlier = undefined;
    });
    return this.#loadingEarlier;
  }

  readonly #traced = (message: Message): ChatMessage =>
    fromHistory(message, this.#traces.get(message.runId));

  async #loadEarlier(): Promise<void> {
    const cursor = this.#cursor;
    if (cursor === undefined) return;
    const { items, nextCursor } = await this.#read(cursor);
    // The newest page was loaded meanwhile, and these do not join it.
    if (this.#cursor !== cursor) return;
    this.#cursor = nextCursor;
    const present = new Set(this.#messages.map(({ id }) => id));
    const earlier = items.map(this.#traced).filter(({ id }) => !present.has(id));
    this.#messages = [...earlier, ...this.#messages];
  }
}

/**
 * The history and the runs that were seen, each message once, in the log's order. Runs know more than
 * the history does. The history has no gaps, so what it lacks is newer than all of it, or older.
 */
export function merged(
  history: readonly ChatMessage[],
  live: readonly ChatMessage[],
): ChatMessage[] {
  const places = placesIn(history);
  const shared = live.map(({ id }) => places.get(id));
  const lastShared = shared.findLastIndex((place) => place !== undefined);
  let place = -1;
  const placed = live.map((message, index) => {
    place = index > lastShared ? history.length : (shared[index] ?? place);
    return { place, message };
  });
  // Nothing stands among the messages before: of ten thousand, a frame looks at the last few.
  const from = Math.max(0, Math.min(...placed.map(({ place }) => place), history.length));
  const liveIds = new Set(live.map(({ id }) => id));
  const rest = history
    .slice(from)
    .map((message, index) => ({ place: from + index, message }))
    .filter(({ message }) => !liveIds.has(message.id));
  const tail = [...rest, ...placed].sort((a, b) => a.place - b.place);
  return [...history.slice(0, from), ...tail.map(({ message }) => message)];
}

/** Where each message is: of one history as long as it is that one. */
const placesOf = new WeakMap<readonly ChatMessage[], ReadonlyMap<string, number>>();

function placesIn(history: readonly ChatMessage[]): ReadonlyMap<string, number> {
  let places = placesOf.get(history);
  if (places === undefined) {
    places = new Map(history.map(({ id }, index) => [id, index]));
    placesOf.set(history, places);
  }
  return places;
}
