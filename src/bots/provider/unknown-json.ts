/** Reads JSON of unknown shape: a value of another type than asked for counts as absent. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The property; undefined where its getter throws, too. */
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
