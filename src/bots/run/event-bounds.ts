/**
 * Bounds the strings of events that a bot or a provider decides: names, ids, reasons, texts. Types
 * promise that they are strings and say nothing of their length; packages and servers keep neither. What
 * `toPayload` made has bounds of its own, a tool's files have those of content/tool-results.ts, and the text of a token or of a call's arguments those of its run.
 */

import { cutText, payloadLimits, toPayload } from "./payload.ts";
import type { SpanEvent } from "./span-writer.ts";

const { nameCharacters, characters } = payloadLimits;

/** Characters of each field, wherever in an event it stands. */
const charactersOf: Readonly<Record<string, number>> = {
  name: nameCharacters,
  agentName: nameCharacters,
  channel: nameCharacters,
  documentId: nameCharacters,
  id: nameCharacters,
  model: nameCharacters,
  finishReason: nameCharacters,
  tool: nameCharacters,
  toolCallId: nameCharacters,
  mimeType: nameCharacters,
  text: characters,
  log: characters,
  query: characters,
  message: characters,
  detail: characters,
  url: characters,
  title: characters,
  quote: characters,
};

/** Fields that are lists of objects with such fields. (Documents are bounded together, as payloads.) */
const lists = ["toolCalls", "content"] as const;

/** @returns the event itself where nothing of it has to be cut, as nearly always */
export function bounded(event: SpanEvent): SpanEvent {
  switch (event.type) {
    case "token":
    case "reasoning":
    case "toolProgress":
      return event;
    case "toolInput":
      return event.name === undefined ? event : boundedFields(event);
    default: {
      let kept = boundedFields(event);
      for (const list of lists) {
        const items: unknown = Reflect.get(kept, list);
        const boundedItem = event.type === "toolEnd" ? boundedFound : boundedFields;
        if (Array.isArray(items)) kept = { ...kept, [list]: items.map(boundedItem) };
      }
      return kept;
    }
  }
}

/** What a tool gave: the address of a file that is the file itself is bounded by tool-results.ts. */
function boundedFound<T extends { readonly url?: unknown }>(found: T): T {
  const { url } = found;
  if (typeof url !== "string" || !url.startsWith("data:")) return boundedFields(found);
  return { ...boundedFields({ ...found, url: "" }), url };
}

function boundedFields<T extends object>(fields: T): T {
  let kept: T | undefined;
  for (const [key, value] of Object.entries(fields)) {
    const limit = charactersOf[key];
    if (limit === undefined || value === undefined) continue;
    const text = cutText(typeof value === "string" ? value : textOf(value), limit).toWellFormed();
    if (text !== value) kept = { ...(kept ?? fields), [key]: text };
  }
  return kept ?? fields;
}

/** Of what was to be a string. */
function textOf(value: unknown): string {
  const json = toPayload(value);
  return typeof json === "object" ? JSON.stringify(json) : String(json);
}
