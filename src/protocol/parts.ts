/**
 * What a message is made of. A run's parts are folded from its events (fold/run-fold.ts), so they show
 * what the bot exposes and nothing else; a reader who followed the run has the same as one who reads the
 * history a year later. Readers ignore types and fields that they don't know.
 */
import { z } from "zod";
import { failure } from "./errors.ts";

const payload = z.json();
/** The span that it came from, where the run's trace has one. */
const spanId = z.string().optional();

export const textPart = z.object({
  type: z.literal("text"),
  text: z.string(),
  /** Whether it is the answer, or part of it; otherwise a step on the way. A person's text always is. */
  final: z.boolean(),
  /** Of a step: the model span that said it. The answer is the run's own. */
  spanId,
});

export const reasoningPart = z.object({ type: z.literal("reasoning"), text: z.string(), spanId });

export const toolPart = z.object({
  type: z.literal("tool"),
  name: z.string(),
  toolCallId: z.string().optional(),
  /** The tool's own span; absent where no tool ran, as of one at the provider. */
  spanId,
  /**
   * `writing`: a model is writing the arguments. `stopped`: the run ended before the tool did.
   */
  state: z.enum(["writing", "running", "done", "failed", "stopped"]),
  /** The arguments' JSON as far as it is written; replaced by `input`. */
  inputText: z.string().optional(),
  input: payload.optional(),
  /** What it said while it worked, joined. */
  progress: z.string().optional(),
  output: payload.optional(),
  error: failure.optional(),
});

export const sourcePart = z.object({
  type: z.literal("source"),
  url: z.string().optional(),
  title: z.string().optional(),
  documentId: z.string().optional(),
  quote: z.string().optional(),
  spanId,
});

export const filePart = z.object({
  type: z.literal("file"),
  kind: z.enum(["image", "audio", "video", "file"]),
  mimeType: z.string().optional(),
  bytes: z.number().int().nonnegative().optional(),
  /** Where it is: an address, or a `data:` URL that holds it. */
  url: z.string().optional(),
  name: z.string().optional(),
  spanId,
});

export const dataPart = z.object({
  type: z.literal("data"),
  name: z.string(),
  value: payload,
  /**
   * `input`: what a person gave a typed bot. `state`: what a channel of the bot's state holds, one part a
   * channel. `artifact`: what a tool returned for a page. `custom`: what the bot's own code sent.
   */
  origin: z.enum(["input", "state", "artifact", "custom"]),
  spanId,
});

export const part = z.discriminatedUnion("type", [
  textPart,
  reasoningPart,
  toolPart,
  sourcePart,
  filePart,
  dataPart,
]);

export type Part = z.infer<typeof part>;
export type PartOf<T extends Part["type"]> = Extract<Part, { type: T }>;
