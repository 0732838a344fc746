/**
 * A typed bot's answer while a model writes it, as `output` events: JSON that the model was asked for, or
 * the arguments of the one call by which it answers. Only values that look like the bot's own are told:
 * a router's choice is JSON, too.
 */
import { parseJsonMarkdown, parsePartialJson } from "@langchain/core/output_parsers";
import type { Json } from "../../../protocol/events.ts";
import { isDeeper, levelsAtMost } from "../../definition/checked-output.ts";
import type { JsonSchema } from "../../definition/standard-schema.ts";
import { payloadLimits } from "../payload.ts";
import type { Span } from "../span-tree.ts";
import type { SpanWriter } from "../span-writer.ts";

/** JSON that a model has written so far. */
export interface WrittenOutput {
  json: string;
  /** Its length at which the next event is due. */
  dueAt: number;
  /** What was told last, as JSON. */
  told: string;
}

/**
 * Whether a call is an agent's answer for its `responseFormat`, by the name that LangChain gives it. No tool
 * runs for it.
 */
export const isAnswerCall = (name: string): boolean => name.startsWith("extract-");

export const beginOutput = (): WrittenOutput => ({ json: "", dueAt: 1, told: "" });

/** Each event repeats all that is written: they come as it grows by a share, so their sum stays small. */
const growth = 1 / 8;
const leastGrowth = 32;
/** Until the first is told. */
const firstGrowth = 4;
/** Of longer ones, what was told last is all that is told before the end. */
const maxCharacters = payloadLimits.totalCharacters;

export class PartialOutputs {
  readonly #writer: SpanWriter;
  readonly #names: ReadonlySet<string> | undefined;

  /** @param schema of the bot's output */
  constructor(writer: SpanWriter, schema: JsonSchema) {
    this.#writer = writer;
    this.#names = namesIn(schema, schema);
  }

  wrote(span: Span, written: WrittenOutput, text: string): void {
    if (written.json.length + text.length > maxCharacters) written.dueAt = Number.POSITIVE_INFINITY;
    else written.json += text;
    if (written.json.length < written.dueAt) return;
    this.#tell(span, written);
    const { length } = written.json;
    const least = written.told === "" ? firstGrowth : leastGrowth;
    written.dueAt = length + Math.max(least, length * growth);
  }

  /** The model has written all of it. */
  ended(span: Span, written: WrittenOutput): void {
    if (written.dueAt !== Number.POSITIVE_INFINITY) this.#tell(span, written);
  }

  #tell({ hidden, id: spanId }: Span, written: WrittenOutput): void {
    const value = valueIn(written.json);
    if (hidden || value === undefined || !this.#looksRight(value)) return;
    const told = JSON.stringify(value);
    if (told === written.told) return;
    written.told = told;
    this.#writer.emit({ type: "output", runId: this.#writer.runId, spanId, value });
  }

  #looksRight(value: Json): boolean {
    if (typeof value !== "object" || value === null) return false;
    const names = Array.isArray(value) ? [] : Object.keys(value);
    if (Array.isArray(value) ? value.length === 0 : names.length === 0) return false;
    return this.#names === undefined || names.every((name) => this.#names?.has(name));
  }
}

function valueIn(json: string): Json | undefined {
  const text = json.trimStart();
  const value: Json | null = text.startsWith("```")
    ? parseJsonMarkdown(text)
    : parsePartialJson(text);
  return value === null || isDeeper(value, levelsAtMost) ? undefined : value;
}

/** The names of an object's fields by its schema; undefined where that does not say. */
function namesIn(schema: JsonSchema, root: JsonSchema): ReadonlySet<string> | undefined {
  const { properties, anyOf, oneOf, $ref } = schema;
  if (isSchema(properties)) return new Set(Object.keys(properties));
  const defined = typeof $ref === "string" ? /^#\/\$defs\/(.+)$/.exec($ref)?.[1] : undefined;
  if (defined !== undefined) {
    const target = isSchema(root.$defs) ? root.$defs[defined] : undefined;
    return isSchema(target) && target.$ref === undefined ? namesIn(target, root) : undefined;
  }
  const either = [anyOf, oneOf].filter(Array.isArray).flat();
  const names = either.map((one) => (isSchema(one) ? namesIn(one, root) : undefined));
  if (names.length === 0 || names.some((some) => some === undefined)) return undefined;
  return new Set(names.flatMap((some) => [...(some ?? [])]));
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
