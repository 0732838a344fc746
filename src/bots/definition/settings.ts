/** Checks a bot's definition, as a program or a user without types may have written it. */
import { z } from "zod";
import { protocolLimits } from "../../protocol/limits.ts";
import type { BotDefinition, BotRunnable } from "../bot.ts";
import { beginningOf, channelsOf } from "./beginning.ts";
import { type BotSchemas, schemasOf } from "./schemas.ts";
import { isStandardSchema } from "./standard-schema.ts";

/** The context of models that are not known: small enough for self-hosted ones. */
export const defaultContextTokens = 8_192;

const isFunction = (value: unknown): boolean => typeof value === "function";

export const isRunnable = (value: unknown): value is BotRunnable =>
  typeof value === "object" && value !== null && "invoke" in value && isFunction(value.invoke);

const optionalFunction = z.custom(isFunction, { error: "must be a function" }).optional();
const schemaOrFunction = z
  .custom((value) => isStandardSchema(value) || isFunction(value), {
    error: "must be a function, or a Standard Schema (zod, valibot, arktype …)",
  })
  .optional();
const standardSchema = z.custom(isStandardSchema, {
  error: "must be a Standard Schema (zod, valibot, arktype …)",
});

const jsonSchema = z.record(z.string(), z.json());

const shape = z.strictObject({
  id: z
    .string()
    .max(protocolLimits.idLength)
    .regex(/^[\w.-]+$/, "must be letters, digits, '.', '_' or '-'"),
  title: z.string().trim().min(1),
  description: z.string(),
  runnable: z.custom<BotDefinition["runnable"]>(
    (value) => isFunction(value) || isRunnable(value),
    "must be a LangChain runnable, or a function that makes one",
  ),
  memory: z
    .union([
      z.literal(false),
      z.strictObject({
        k: z.number().int().nonnegative(),
        contextTokens: z.number().int().positive().default(defaultContextTokens),
      }),
    ])
    .default({ k: 2, contextTokens: defaultContextTokens }),
  expose: z.enum(["none", "root", "tools", "all"]).default("root"),
  context: standardSchema.optional(),
  input: schemaOrFunction,
  output: schemaOrFunction,
  state: z.record(z.string().min(1).max(protocolLimits.idLength), standardSchema).optional(),
  speaks: optionalFunction,
  stream: z.boolean().default(true),
  onEnd: optionalFunction,
  schemas: z
    .strictObject({
      input: jsonSchema.optional(),
      output: jsonSchema.optional(),
      state: z.record(z.string(), jsonSchema).optional(),
    })
    .default({}),
});

const settings = shape.refine(({ stream, expose }) => stream || expose !== "all", {
  path: ["stream"],
  error: 'must not be false where expose is "all", which shows what the models say',
});

export interface CheckedSettings
  extends Pick<z.infer<typeof settings>, "title" | "description" | "memory" | "expose" | "stream"> {
  readonly schemas: BotSchemas;
}

/** @throws Error that names the bot and every setting that is wrong. */
export function checkSettings(definition: BotDefinition): CheckedSettings {
  const { id, input, output, state, runnable } = definition;
  const parsed = settings.safeParse(definition);
  if (!parsed.success) refuse(id, z.prettifyError(parsed.error));
  if (isRunnable(runnable)) {
    const problem = runnableProblem(runnable, definition);
    if (problem !== undefined) refuse(id, problem);
  }
  const typed = {
    input: isStandardSchema(input) ? input : undefined,
    output: isStandardSchema(output) ? output : undefined,
    state,
  };
  try {
    return { ...parsed.data, schemas: schemasOf(typed, parsed.data.schemas) };
  } catch (cause) {
    refuse(id, cause instanceof Error ? cause.message : String(cause));
  }
}

function refuse(id: string, problem: string): never {
  throw new Error(`Bot "${id}" is not defined well:\n${problem}`);
}

/** Why a runnable cannot be a bot without an `input` or an `output` of its own. */
export function runnableProblem(
  runnable: BotRunnable,
  settings: Pick<BotDefinition, "input" | "output">,
): string | undefined {
  if (settings.input !== undefined) return undefined;
  try {
    beginningOf(runnable);
  } catch (cause) {
    if (cause instanceof TypeError) return cause.message;
    throw cause;
  }
  return settings.output === undefined ? graphProblem(runnable) : undefined;
}

/**
 * A graph takes messages and answers with one, or its bot says otherwise: nothing would reach it, and
 * nothing of it be an answer. One with a channel `human_input` is given the message there.
 */
function graphProblem(runnable: BotRunnable): string | undefined {
  const channels = channelsOf(runnable);
  if (channels === undefined || "messages" in channels || "human_input" in channels) {
    return undefined;
  }
  const names = Object.keys(channels).filter((name) => !/^(__|branch:)/.test(name));
  return (
    `its graph has no channel \`messages\` (but ${names.join(", ") || "none"}), so no message reaches ` +
    "it, and no answer comes out of it: say with `input` and `output` what it takes and answers"
  );
}
