/**
 * Schemas of any library: zod, valibot, arktype … What they have in common is Standard Schema
 * (https://standardschema.dev), read here by its shape, so that no library has to be installed for it.
 */
import { z } from "zod";
import type { Json } from "../../protocol/events.ts";

/** A schema by Standard Schema v1. `Input` is what it takes, `Output` what it makes of that. */
export interface StandardSchema<Input = unknown, Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<Output> | Promise<Validated<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type Validated<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema says of a value. */
export type Checked =
  | { readonly ok: true; readonly value: unknown }
  /** Each issue as `lines.0.total: Expected a number`, and its path alone. */
  | { readonly ok: false; readonly issues: readonly string[]; readonly paths: readonly string[] };

export type JsonSchema = Record<string, Json>;

/** A function is one as well, if it has the mark: arktype's are. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const mark: unknown = "~standard" in value ? value["~standard"] : undefined;
  return (
    typeof mark === "object" && mark !== null && "validate" in mark && isFunction(mark.validate)
  );
}

/**
 * @param path what stands before each issue's own path
 * @throws what the schema's own code throws
 */
export async function check(
  schema: StandardSchema,
  value: unknown,
  path: string,
): Promise<Checked> {
  return checkedOf(await schema["~standard"].validate(value), path);
}

/**
 * As `check`, where nothing may wait for the answer.
 * @returns undefined where the schema answers later
 * @throws what the schema's own code throws
 */
export function checkNow(
  schema: StandardSchema,
  value: unknown,
  path: string,
): Checked | undefined {
  const result = schema["~standard"].validate(value);
  if (!(result instanceof Promise)) return checkedOf(result, path);
  result.catch(() => {});
  return undefined;
}

function checkedOf(result: Validated<unknown>, path: string): Checked {
  if (result.issues === undefined) return { ok: true, value: result.value };
  const shown = result.issues.slice(0, issuesAtMost);
  const issues = shown.map((issue) => lineOf(issue, path));
  const left = result.issues.length - issues.length;
  if (left > 0) issues.push(`and ${left} more`);
  return { ok: false, issues, paths: shown.map((issue) => pathOf(issue, path)) };
}

const issuesAtMost = 5;
const issueCharacters = 300;

function lineOf(issue: Issue, path: string): string {
  return `${pathOf(issue, path)}: ${issue.message}`.slice(0, issueCharacters).toWellFormed();
}

function pathOf({ path: within = [] }: Issue, path: string): string {
  const keys = within.map((step) => String(typeof step === "object" ? step.key : step));
  return [path, ...keys].join(".").slice(0, issueCharacters).toWellFormed();
}

/**
 * The JSON Schema of what a schema takes (`input`) or makes (`output`).
 * @throws Error where it has none: its library has no JSON Schema, or it transforms, or it takes a Date
 */
export function jsonSchemaOf(schema: StandardSchema, io: "input" | "output"): JsonSchema {
  const { jsonSchema: converter, vendor } = schema["~standard"] as {
    readonly jsonSchema?: Partial<Record<typeof io, (options: { target: string }) => unknown>>;
    readonly vendor: string;
  };
  const made = converter?.[io]?.({ target: "draft-2020-12" }) ?? madeByZod(schema, io);
  if (made === undefined) throw new Error(`${vendor} gives no JSON Schema`);
  return z.record(z.string(), z.json()).parse(made);
}

/** Before 4.2, zod's schemas have no converter of their own. */
function madeByZod(schema: StandardSchema, io: "input" | "output"): unknown {
  return "_zod" in schema ? z.toJSONSchema(schema as unknown as z.ZodType, { io }) : undefined;
}

const isFunction = (value: unknown): boolean => typeof value === "function";
