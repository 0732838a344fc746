/** Reads JSON of which nobody promised anything: what is not of the type asked for is not there. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The property, also of what throws when it is asked. */
export function read(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}

/** The first of `keys` that holds a text which is not empty. */
export function textIn(value: unknown, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const found = read(value, key);
    if (typeof found === "string" && found !== "") return found;
  }
  return undefined;
}

/** The first of `keys` that holds a number from 0 on, or a text of digits. */
export function numberIn(value: unknown, ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const found = read(value, key);
    const number = typeof found === "string" && /^\d{1,15}$/.test(found) ? Number(found) : found;
    if (typeof number === "number" && Number.isFinite(number) && number >= 0) return number;
  }
  return undefined;
}

/** What the text says in JSON; undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
