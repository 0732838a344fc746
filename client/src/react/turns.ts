/**
 * The runs that a chat has seen, in the order of the log: after a reconnect, what this chat sent may be
 * accepted, and told of, before the watch brings what others sent earlier.
 */
import type { ChatEvent, Json } from "../types.ts";
import { type ChatError, type ChatMessage, Turn } from "./turn.ts";

export class Turns {
  readonly #turns = new Map<string, Turn>();
  /** The highest number of a `runStart` so far. */
  #lastPosition = 0;
  #ordered: readonly Turn[] | undefined;

  /** A message that is on its way comes last, until the log gives it its position. */
  send(runId: string, given: Json): void {
    this.#put(Turn.sending(runId, given));
  }

  /** @param seq the event's number in the log, or one after it */
  add(event: ChatEvent, seq: number): void {
    const { runId } = event;
    let turn = this.#turns.get(runId);
    if (turn === undefined) {
      turn = new Turn(runId);
      this.#put(turn);
    }
    if (turn.phase === "over") return;
    turn.add(event);
    if (turn.position <= seq) return;
    turn.position = seq;
    this.#lastPosition = Math.max(this.#lastPosition, seq);
    this.#ordered = undefined;
  }

  /** The message stays below all that had been said when it was refused, and above what follows. */
  refuse(runId: string, error: ChatError): void {
    const turn = this.#turns.get(runId);
    if (turn?.phase !== "sending") return;
    turn.refuse(error);
    turn.position = this.#lastPosition + 0.5;
    this.#ordered = undefined;
  }

  /** Nothing more is heard of any run. */
  lose(error: ChatError): void {
    for (const turn of this.#turns.values()) turn.lose(error);
  }

  delete(runId: string): void {
    this.#turns.delete(runId);
    this.#ordered = undefined;
  }

  get unfinished(): Turn | undefined {
    return this.#inOrder().findLast(({ phase }) => phase === "sending" || phase === "running");
  }

  get messages(): readonly ChatMessage[] {
    return this.#inOrder().flatMap(({ messages }) => messages);
  }

  #put(turn: Turn): void {
    this.#turns.set(turn.runId, turn);
    this.#ordered = undefined;
  }

  #inOrder(): readonly Turn[] {
    this.#ordered ??= [...this.#turns.values()].sort((a, b) => compare(a.position, b.position));
    return this.#ordered;
  }
}

/** Infinity from infinity is no number. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
