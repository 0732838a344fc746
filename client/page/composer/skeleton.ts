/** A value of a JSON Schema's shape, to be filled in: each property that it names, with what is shortest. */
import type { Json } from "langwire-client";

type Schema = Readonly<Record<string, Json>>;

/** A schema may contain itself. */
const maxDepth = 6;

export function skeletonOf(schema: Json | undefined, depth = 0): Json {
  if (!isSchema(schema) || depth > maxDepth) return null;
  const { default: given, const: only, enum: all, properties } = schema;
  if (given !== undefined) return given;
  if (only !== undefined) return only;
  if (Array.isArray(all)) return all[0] ?? null;
  const [variant] = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((one) => one ?? []);
  if (variant !== undefined) return skeletonOf(variant, depth + 1);
  if (isSchema(properties)) {
    const named = Object.entries(properties);
    return Object.fromEntries(named.map(([name, one]) => [name, skeletonOf(one, depth + 1)]));
  }
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case "object":
      return {};
    case "array":
      return [];
    case "string":
      return "";
    case "boolean":
      return false;
    case "number":
    case "integer":
      return typeof schema.minimum === "number" ? schema.minimum : 0;
    default:
      return null;
  }
}

function isSchema(schema: Json | undefined): schema is Schema {
  return typeof schema === "object" && schema !== null && !Array.isArray(schema);
}
