/** What a typed bot answers: the value in what its runnable returned, checked, as plain JSON. */
import { LangwireError } from "../../protocol/errors.ts";
import type { Json } from "../../protocol/events.ts";
import { check, type StandardSchema } from "./standard-schema.ts";

/** Deeper than that, readers' own code may not follow. */
export const levelsAtMost = 100;
const valuesAtMost = 1_000_000;

/**
 * The bot's answer.
 * @param returned by its runnable: an agent's state, whose `structuredResponse` it is, or the value itself
 * @returns OUTPUT_INVALID where it does not fit, with what does not as its cause, for the server's log
 * @throws what the schema's own code throws
 */
export async function checkOutput(
  schema: StandardSchema,
  returned: unknown,
): Promise<{ readonly value: Json } | { readonly error: LangwireError }> {
  const checked = await check(schema, valueIn(returned), "output");
  if (!checked.ok) return invalid(checked.issues.join("; "));
  return plainJson(checked.value);
}

function valueIn(returned: unknown): unknown {
  if (typeof returned !== "object" || returned === null) return returned;
  const response: unknown =
    "structuredResponse" in returned ? returned.structuredResponse : undefined;
  return response ?? returned;
}

function plainJson(value: unknown): ReturnType<typeof invalid> | { readonly value: Json } {
  if (isDeeper(value, levelsAtMost))
    return invalid(`output: deeper than ${levelsAtMost} levels, or too large`);
  try {
    return { value: JSON.parse(JSON.stringify(value, plain)) as Json };
  } catch (cause) {
    return invalid("output: it is no JSON", cause);
  }
}

/** JSON would leave these out, or make `{}` or `null` of them, and the answer would be another one. */
function plain(this: unknown, key: string, value: unknown): unknown {
  const held = Reflect.get(Object(this), key);
  const isOdd =
    typeof value === "function" ||
    typeof value === "symbol" ||
    (typeof value === "number" && !Number.isFinite(value)) ||
    (held instanceof Date && Number.isNaN(held.getTime())) ||
    noJson.some((kind) => value instanceof kind);
  if (isOdd) throw new TypeError(`${String(held)} at "${key}" is no JSON`);
  return value;
}

const noJson = [Map, Set, WeakMap, WeakSet, Promise, RegExp, Error, ArrayBuffer] as const;

/**
 * Whether a value has more levels than that, or so many values that no run could hold it: a few objects
 * that hold each other's parts twice come to millions as JSON.
 */
export function isDeeper(value: unknown, levels: number): boolean {
  const waiting: [value: unknown, levels: number][] = [[value, levels]];
  for (let seen = 0; ; seen++) {
    const [next, left] = waiting.pop() ?? [];
    if (left === undefined) return false;
    if (typeof next !== "object" || next === null) continue;
    if (left === 0 || seen > valuesAtMost) return true;
    for (const inner of Object.values(next)) waiting.push([inner, left - 1]);
  }
}

function invalid(what: string, cause?: unknown): { readonly error: LangwireError } {
  const why = new TypeError(`The bot's answer does not fit its output's schema: ${what}`, {
    ...(cause !== undefined && { cause }),
  });
  return { error: new LangwireError("OUTPUT_INVALID", { cause: why }) };
}
