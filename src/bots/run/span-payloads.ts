/** What LangChain hands to the callbacks of tools and retrievers, as far as it goes on the wire. */
import type { DocumentInterface } from "@langchain/core/documents";
import { isToolMessage } from "@langchain/core/messages";
import type { EventOf } from "../../protocol/events.ts";
import { cutText, payloadLimits, toolContent, toPayload } from "./payload.ts";

/** Tools with several arguments get them as JSON text. */
export function argumentsOf(input: string): unknown {
  if (!/^\s*[{[]/.test(input)) return input;
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}

/** Tools that were called with an id answer in a message. */
export function returnedBy(output: unknown): unknown {
  return isToolMessage(output) ? toolContent(output) : output;
}

export function documentsOf(
  documents: readonly DocumentInterface[],
): EventOf<"retrieverEnd">["documents"] {
  return documents.slice(0, payloadLimits.items).map(({ id, pageContent, metadata }) => ({
    ...(id && { id }),
    text: cutText(pageContent, payloadLimits.characters),
    metadata: toPayload(metadata),
  }));
}
