import { partsOfMessage } from "../message-parts.ts";
import type { Message, Part } from "../types.ts";
import { blocksOf, type UiPart, uiPartOf } from "./blocks.ts";
import { type LangwireUIMessage, metadataOf } from "./ui-chunks.ts";

/**
 * A conversation's history, as `useChat`'s `messages` option takes it: with the ids and the parts that the
 * messages had when they were made.
 */
export function toUIMessages(messages: readonly Message[]): LangwireUIMessage[] {
  return messages.map((message): LangwireUIMessage => {
    const { runId, role, status, usage, output } = message;
    const parts = partsOfMessage(message);
    if (role === "human") {
      const id = `${runId}/human`;
      return { id, role: "user", metadata: { runId }, parts: parts.map(givenPart) };
    }
    const metadata = metadataOf({ runId, status, usage, output });
    const made = [{ type: "step-start" } as const, ...blocksOf(parts).map(uiPartOf)];
    return { id: runId, role: "assistant", metadata, parts: made };
  });
}

/** Of what a person gave: a text, or to a typed bot a value. */
function givenPart(part: Part): UiPart {
  return part.type === "data"
    ? { type: `data-${part.name}`, data: part.value }
    : { type: "text", text: "text" in part ? part.text : "" };
}
