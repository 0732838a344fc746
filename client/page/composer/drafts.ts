/** What has been written and not been accepted yet, for each conversation, over reloads of the window. */
import { windowStorage } from "../browser/storage.ts";

/** Whose words they are, and for what. A conversation that has not begun has no id yet. */
export interface DraftPlace {
  readonly userId: string;
  readonly conversationId: string | undefined;
}

export function readDraft(place: DraftPlace): string {
  return windowStorage.get(keyOf(place)) ?? "";
}

export function keepDraft(place: DraftPlace, text: string): void {
  windowStorage.set(keyOf(place), text === "" ? undefined : text);
}

/** The next person at this window is another one. */
export function forgetDrafts(): void {
  windowStorage.forget(prefix);
}

const prefix = "langwire-draft ";

function keyOf({ userId, conversationId = "new" }: DraftPlace): string {
  return `${prefix}${conversationId} ${userId}`;
}
