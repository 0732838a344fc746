/** Pieces of one text, of which neighbours may be one: in the log, on the wire, in a queue. */
import type { ChatEvent, EventOf } from "../events.ts";

export type TextPiece =
  | EventOf<"token">
  | EventOf<"reasoning">
  | (EventOf<"toolProgress"> & { text: string; data?: undefined })
  | (EventOf<"toolInput"> & { text: string; name?: undefined });

/** Whether all that the event says is a piece of a text: then it can be joined to its neighbours. */
export function isTextPiece(event: ChatEvent): event is TextPiece {
  const { type } = event;
  return (
    type === "token" ||
    type === "reasoning" ||
    (type === "toolProgress" && event.text !== undefined && event.data === undefined) ||
    (type === "toolInput" && event.text !== undefined && event.name === undefined)
  );
}

/** The call that a piece belongs to, of which a span may write several at a time. */
export function callOf(piece: TextPiece): string | undefined {
  return piece.type === "toolInput" ? piece.toolCallId : undefined;
}

/** The two as one; undefined unless both are pieces of one text. */
export function joined(event: ChatEvent, next: ChatEvent | undefined): TextPiece | undefined {
  if (next?.type !== event.type || !isTextPiece(event) || !isTextPiece(next)) return undefined;
  if (next.spanId !== event.spanId || next.runId !== event.runId) return undefined;
  if (callOf(next) !== callOf(event)) return undefined;
  return { ...event, text: event.text + next.text };
}
