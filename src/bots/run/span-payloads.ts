/** What LangChain hands to the callbacks of tools and retrievers, as far as it goes on the wire. */
import type { DocumentInterface } from "@langchain/core/documents";
import { type BaseMessage, isBaseMessage, isToolMessage } from "@langchain/core/messages";
import type { EventOf } from "../../protocol/events.ts";
import { artifactOf, cutText, payloadLimits, toolContent, toPayload } from "./payload.ts";

/** Tools with several arguments get them as JSON text. */
export function argumentsOf(input: string): unknown {
  if (!/^\s*[{[]/.test(input)) return input;
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}

/**
 * What a tool returned. Tools that were called with an id answer in a message: the content, with its
 * artifact where it has one as `{ content, artifact }`. A `Command` hands over to another agent, with
 * the whole conversation inside: where to, and the tool's own message in it, are the tool's.
 */
export function returnedBy(output: unknown): unknown {
  if (isCommand(output)) {
    const message = messagesOf(output.update).findLast(isToolMessage);
    const returned = message === undefined ? undefined : returnedBy(message);
    return { goto: output.goto, ...(returned !== undefined && { content: returned }) };
  }
  if (!isToolMessage(output)) return output;
  const artifact = artifactOf(output);
  const content = toolContent(output);
  return "artifact" in artifact ? { content, ...artifact } : content;
}

interface CommandLike {
  readonly goto?: unknown;
  readonly update?: unknown;
}

function isCommand(value: unknown): value is CommandLike {
  return (
    typeof value === "object" && value !== null && "lg_name" in value && value.lg_name === "Command"
  );
}

function messagesOf(update: unknown): BaseMessage[] {
  const messages: unknown =
    typeof update === "object" && update !== null ? Reflect.get(update, "messages") : undefined;
  return Array.isArray(messages) ? messages.filter(isBaseMessage) : [];
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
