/**
 * Prints JSON Schemas as TypeScript types. It knows what the libraries of Standard Schema write, and takes
 * `unknown` for the rest: json-schema-to-typescript brings a formatter and a loader of files along, for a
 * command that no server runs.
 */
import type { Json } from "../../protocol/events.ts";

type Schema = { readonly [key: string]: Json };

export class SchemaTypes {
  /** Types that refer to themselves, or are used in several places, by the name that they are given. */
  readonly #named = new Map<string, string>();

  /** `type` declarations, to stand before what uses them. */
  get declarations(): readonly string[] {
    return [...this.#named].map(([name, type]) => `type ${name} = ${type};`);
  }

  /** @param name of the schema itself, and what the names of its parts begin with: an identifier */
  print(root: Schema, name: string): string {
    const printer = new Printer(root, name, this.#named);
    const type = printer.of(root, 0);
    if (!printer.refersToRoot) return type;
    this.#named.set(name, type);
    return name;
  }
}

class Printer {
  refersToRoot = false;
  readonly #root: Schema;
  readonly #name: string;
  readonly #named: Map<string, string>;
  /** By the reference: parts whose types have a name. */
  readonly #names = new Map<string, string>();

  constructor(root: Schema, name: string, named: Map<string, string>) {
    this.#root = root;
    this.#name = name;
    this.#named = named;
  }

  /** @param depth of its indentation */
  of(schema: Json | undefined, depth: number): string {
    if (schema === false) return "never";
    if (!isSchema(schema)) return "unknown";
    const { $ref, anyOf, oneOf, allOf, enum: values, const: only, ...own } = schema;
    const parts: string[] = [];
    if (typeof $ref === "string") parts.push(this.#reference($ref));
    if (only !== undefined) parts.push(literal(only));
    if (Array.isArray(values)) parts.push(union(values.map(literal)));
    for (const either of [anyOf, oneOf]) {
      if (Array.isArray(either)) parts.push(union(either.map((one) => this.of(one, depth))));
    }
    if (Array.isArray(allOf)) parts.push(...allOf.map((one) => this.of(one, depth)));
    const isSaid = only !== undefined || values !== undefined;
    if (!isSaid && (own.type !== undefined || own.properties !== undefined)) {
      parts.push(this.#typed(own, depth));
    }
    const known = [...new Set(parts)].filter((part) => part !== "unknown");
    if (known.length < 2) return known[0] ?? "unknown";
    return known.map((part) => (part.includes(" | ") ? `(${part})` : part)).join(" & ");
  }

  #typed(schema: Schema, depth: number): string {
    const { type } = schema;
    const types = Array.isArray(type) ? type : [type ?? "object"];
    return union(types.map((one) => this.#ofType(one, schema, depth)));
  }

  #ofType(type: Json, schema: Schema, depth: number): string {
    switch (type) {
      case "string":
      case "boolean":
      case "null":
        return type;
      case "number":
      case "integer":
        return "number";
      case "array":
        return this.#array(schema, depth);
      case "object":
        return this.#object(schema, depth);
      default:
        return "unknown";
    }
  }

  #array({ items, prefixItems }: Schema, depth: number): string {
    if (!Array.isArray(prefixItems)) return `Array<${this.of(items, depth)}>`;
    const first = prefixItems.map((item) => this.of(item, depth));
    const rest =
      items === undefined || items === false ? [] : [`...Array<${this.of(items, depth)}>`];
    return `[${[...first, ...rest].join(", ")}]`;
  }

  #object({ properties, required, additionalProperties, ...more }: Schema, depth: number): string {
    const fields = isSchema(properties) ? Object.entries(properties) : [];
    const needed = new Set(Array.isArray(required) ? required : []);
    const indent = "  ".repeat(depth + 1);
    const lines = fields.map(([name, schema]) => {
      const isOptional = !needed.has(name);
      const type = this.of(schema, depth + 1);
      const field = `${key(name)}${isOptional ? "?" : ""}: ${type}${isOptional ? " | undefined" : ""};`;
      return `${comment(schema, indent)}${indent}${field}`;
    });
    const isOpen = isSchema(additionalProperties) || more.patternProperties !== undefined;
    if (isOpen) {
      const type = lines.length === 0 ? this.of(additionalProperties, depth + 1) : "unknown";
      lines.push(`${indent}[key: string]: ${type};`);
    }
    if (lines.length > 0) return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
    return additionalProperties === false ? "Record<string, never>" : "{ [key: string]: unknown }";
  }

  #reference(reference: string): string {
    if (reference === "#") {
      this.refersToRoot = true;
      return this.#name;
    }
    const known = this.#names.get(reference);
    if (known !== undefined) return known;
    const [, part = ""] = /^#\/(?:\$defs|definitions)\/(.+)$/.exec(reference) ?? [];
    const parts = this.#root.$defs ?? this.#root.definitions;
    const schema = isSchema(parts) ? parts[part] : undefined;
    if (schema === undefined) return "unknown";
    let name = `${this.#name}_${part.replace(/\W/g, "_")}`;
    while (this.#named.has(name)) name += "_";
    this.#names.set(reference, name);
    this.#named.set(name, "unknown");
    this.#named.set(name, this.of(schema, 0));
    return name;
  }
}

const isSchema = (value: Json | undefined): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function union(types: readonly string[]): string {
  const several = [...new Set(types)];
  return several.includes("unknown") ? "unknown" : several.join(" | ") || "never";
}

/** A value as the type of that value alone. */
function literal(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  const fields = Object.entries(value).map(([name, field]) => `${key(name)}: ${literal(field)}`);
  return fields.length === 0 ? "Record<string, never>" : `{ ${fields.join("; ")} }`;
}

export const key = (name: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);

function comment(schema: Json | undefined, indent: string): string {
  if (!isSchema(schema) || typeof schema.description !== "string") return "";
  const text = schema.description.replaceAll("*/", "*\\/").replace(/\s+/g, " ").trim();
  return text === "" ? "" : `${indent}/** ${text} */\n`;
}
