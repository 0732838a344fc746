/**
 * Notices that a node of a graph takes a model's message out of the state, as a guard does that says
 * nothing in its place: what is taken back is not the answer.
 */
import { messagesIn } from "../span-payloads.ts";
import type { Span } from "../span-tree.ts";

/** LangGraph's id for all messages there are. */
const removeAll = "__remove_all__";

/** @param outputs what the node returned */
export function markRemoved(outputs: unknown, models: readonly Span[]): void {
  const messages = messagesIn(outputs);
  const removed = new Set<unknown>();
  const written = new Set<unknown>();
  for (const { type, id } of messages) (type === "remove" ? removed : written).add(id);
  if (removed.size === 0) return;
  const isRemoved = (id: string): boolean =>
    (removed.has(id) || removed.has(removeAll)) && !written.has(id);
  for (const model of models) {
    if (model.messageId !== undefined && isRemoved(model.messageId)) model.isRemoved = true;
  }
}
