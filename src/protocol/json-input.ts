/**
 * A JSON value that a caller sends. `z.json()` tries every kind of value for each one in it, which takes
 * tens of milliseconds for a request of the permitted size; this looks at each once.
 */
import { z } from "zod";
import type { Json } from "./events.ts";

/** Levels of lists and objects. */
const maxDepth = 32;

export const jsonInput = z
  .unknown()
  .refine(
    (value) => isJson(value, maxDepth),
    `must be JSON, of ${maxDepth} levels at most`,
  ) as unknown as z.ZodType<Json, Json>;

function isJson(value: unknown, levels: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object": {
      if (value === null) return true;
      if (levels === 0) return false;
      const isPlain = Array.isArray(value) || isPlainObject(value);
      return isPlain && Object.values(value).every((inner) => isJson(inner, levels - 1));
    }
    default:
      return false;
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
