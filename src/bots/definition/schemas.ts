/** The JSON Schemas of a bot: those that its definition gives, else those of its Standard Schemas. */
import { type JsonSchema, jsonSchemaOf, type StandardSchema } from "./standard-schema.ts";

/** As `bots.list` shows them. */
export interface BotSchemas {
  readonly input: JsonSchema;
  readonly output: JsonSchema;
  /** By channel. */
  readonly state?: Readonly<Record<string, JsonSchema>> | undefined;
}

interface Typed {
  readonly input: StandardSchema | undefined;
  readonly output: StandardSchema | undefined;
  readonly state: Readonly<Record<string, StandardSchema>> | undefined;
}

const text: JsonSchema = { type: "string" };

/** @throws Error that names the schema for which there is no JSON Schema */
export function schemasOf(
  { input, output, state = {} }: Typed,
  given: Partial<BotSchemas>,
): BotSchemas {
  const channels = Object.entries(state).map(([channel, schema]): [string, JsonSchema] => {
    const ownSchema = given.state?.[channel];
    return [channel, ownSchema ?? made(schema, "output", `state.${channel}`)];
  });
  const ofState = { ...given.state, ...Object.fromEntries(channels) };
  return {
    input: given.input ?? (input === undefined ? text : made(input, "input", "input")),
    output: given.output ?? (output === undefined ? text : made(output, "output", "output")),
    ...(Object.keys(ofState).length > 0 && { state: ofState }),
  };
}

function made(schema: StandardSchema, io: "input" | "output", setting: string): JsonSchema {
  try {
    return jsonSchemaOf(schema, io);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const why = `${setting} has no JSON Schema (${reason}): give it in schemas.${setting}`;
    throw new Error(why, { cause });
  }
}

/** Whether a text may be a value of the schema. */
export function takesText(schema: JsonSchema): boolean {
  const { type, anyOf, oneOf, enum: values, const: only } = schema;
  if (values !== undefined || only !== undefined) {
    return [only, ...(Array.isArray(values) ? values : [])].some((it) => typeof it === "string");
  }
  if (type !== undefined) return [type].flat().includes("string");
  const either = [anyOf, oneOf].filter(Array.isArray).flat();
  // Of what is said elsewhere (`$ref`, `allOf`), the check of the value itself decides.
  return either.length === 0 || either.some((it) => isJsonSchema(it) && takesText(it));
}

const isJsonSchema = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
