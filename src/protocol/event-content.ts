/** What events are made of that is more than a field: calls of tools, documents, content beside text. */
import { z } from "zod";

/** A JSON value made by a bot; the server bounds it and marks where it was cut. */
const payload = z.json();

export const toolCall = z.object({
  id: z.string().optional(),
  name: z.string(),
  /** Only where the bot exposes its tools' payloads. */
  args: payload.optional(),
});

export const retrievedDocument = z.object({
  id: z.string().optional(),
  text: z.string(),
  metadata: payload.optional(),
});

/**
 * What a model or a tool gave besides text, reasoning and calls of the bot's tools. A model's bytes are
 * not on the wire; a tool's are, as a `data:` URL, as far as the server's bound allows.
 */
export const modelContent = z.discriminatedUnion("type", [
  /** A page or a document on which the answer rests. */
  z.object({
    type: z.literal("source"),
    url: z.string().optional(),
    title: z.string().optional(),
    /** Of a document that the bot found by itself: its id there. */
    documentId: z.string().optional(),
    /** Only where the bot exposes its tools' payloads. */
    quote: z.string().optional(),
  }),
  z.object({
    type: z.literal("file"),
    kind: z.enum(["image", "audio", "video", "file"]),
    mimeType: z.string().optional(),
    bytes: z.number().int().nonnegative().optional(),
    /** Where the provider gave one in place of the bytes; a tool's bytes as a `data:` URL. */
    url: z.string().optional(),
    name: z.string().optional(),
  }),
  /** What a tool did that runs at the provider: a web search, code. */
  z.object({
    type: z.literal("tool"),
    name: z.string(),
    id: z.string().optional(),
    /** As the provider gave it. Only where the bot exposes its tools' payloads. */
    data: payload.optional(),
  }),
  /** Something that Langwire does not know, by its provider's name for it. */
  z.object({ type: z.literal("other"), name: z.string() }),
]);
