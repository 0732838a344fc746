/** What a bot is: a LangChain runnable with the settings that put it on the wire. */
import type { Runnable } from "@langchain/core/runnables";
import { z } from "zod";
import { LangwireError } from "../protocol/errors.ts";
import type { Json } from "../protocol/events.ts";
import { protocolLimits } from "../protocol/limits.ts";

/** The context of models that are not known: small enough for self-hosted ones. */
export const defaultContextTokens = 8_192;

/** The run, its conversation and its user, for a bot's own functions. */
export interface BotContext {
  readonly runId: string;
  readonly conversationId: string;
  readonly userId: string;
}

export interface HistoryMessage {
  readonly role: "human" | "ai";
  readonly text: string;
}

/**
 * One human message and what was said before it, oldest first. A bot is given at most what its
 * memory allows, however long `history` is.
 */
export interface BotTurn {
  readonly message: string;
  readonly history: readonly HistoryMessage[];
}

/**
 * Which payloads leave the server:
 * - `none`: no input or output of any span;
 * - `root`: of the root span's input and output the conversation: texts of humans and of the model;
 * - `tools`: those with what tools did, and what tools, retrievers and agent actions take and return;
 * - `all`: every span's, and the spans that LangChain hides as plumbing. Prompts are in there.
 *
 * docs/bots.md says what of an object each shows. What a bot's own code sends with
 * `dispatchCustomEvent` or LangGraph's writer goes out whatever this says.
 */
export type Expose = "none" | "root" | "tools" | "all";

export interface Memory {
  /** How many past exchanges (a human message and its answer) the bot is given. */
  readonly k: number;
  /** Tokens that the model's context holds; older exchanges are dropped to stay below it. */
  readonly contextTokens?: number | undefined;
}

/** One call of a model inside a run, for a bot's `speaks` to say whether its text goes to readers. */
export interface ModelCall {
  readonly name: string;
  /** The names of the spans around it, the run's own first. */
  readonly path: readonly string[];
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The agent or graph that made the call, where it was given a name. */
  readonly agentName?: string;
  /** The LangGraph node in which it was made. */
  readonly node?: string;
  /** The outermost tool or retriever in which it was made. */
  readonly insideTool?: string;
  /** Whether it was asked for JSON, or forced to call one tool. */
  readonly structured: boolean;
  /** The default. */
  readonly speaks: boolean;
}

/** Anything with LangChain's `invoke`: a chain, an agent, a graph. */
export type BotRunnable = Pick<Runnable, "invoke">;

/** JSON Schemas of what the bot's runnable takes and answers, shown by `bots.list`. */
interface BotSchemas {
  readonly input: Record<string, Json>;
  readonly output: Record<string, Json>;
}

export interface BotDefinition {
  /** Names the bot in every request. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** The runnable, or a function that makes one for each run. */
  readonly runnable: BotRunnable | ((context: BotContext) => BotRunnable | Promise<BotRunnable>);
  /**
   * The last exchanges that the bot is given, or `false` for none: right for a graph with a
   * checkpointer, which remembers by itself (`thread_id` is the conversation). Default: the last two.
   */
  readonly memory?: Memory | false | undefined;
  /** Default: `root`. */
  readonly expose?: Expose | undefined;
  /** Makes the runnable's input of the turn. Default: see `defaultInput` in bot-input.ts. */
  readonly input?: ((turn: BotTurn, context: BotContext) => unknown) | undefined;
  /**
   * Finds the answer in what the runnable returned; where it returns undefined, and by default, it is
   * found as `answerIn` in bot-output.ts says.
   */
  readonly output?: ((value: unknown) => string | undefined) | undefined;
  /**
   * Whether what a model says is the answer, or a step to it, and goes to the readers. Default: unless
   * it is called in a tool or a retriever, tagged `nostream`, or asked for structure.
   */
  readonly speaks?: ((call: ModelCall) => boolean) | undefined;
  /**
   * `false` shows nothing of what the models say before the end: right where a guard may rewrite or
   * refuse the answer. Not with `expose: "all"`, which shows what the guard has not seen. Default: true.
   */
  readonly stream?: boolean | undefined;
  /**
   * Called once when the run is over, also when it failed, was stopped or timed out; to close what was
   * opened for it. What it throws is logged. A runnable that a factory made is disposed of by itself,
   * if it has `Symbol.asyncDispose` or `Symbol.dispose`.
   */
  readonly onEnd?: ((context: BotContext) => unknown) | undefined;
  /** Default: a text in, a text out. */
  readonly schemas?: Partial<BotSchemas> | undefined;
}

/** A definition that was checked, with its defaults filled in. */
export interface Bot {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly memory: Required<Memory> | false;
  readonly expose: Expose;
  readonly schemas: BotSchemas;
  readonly stream: boolean;
  /** Whether a factory makes a runnable for each run. */
  readonly makesRunnables: boolean;
  readonly onEnd: BotDefinition["onEnd"];
  readonly makeRunnable: (context: BotContext) => BotRunnable | Promise<BotRunnable>;
  readonly input: BotDefinition["input"];
  readonly output: BotDefinition["output"];
  readonly speaks: BotDefinition["speaks"];
}

const isFunction = (value: unknown): boolean => typeof value === "function";
const isRunnable = (value: unknown): value is BotRunnable =>
  typeof value === "object" && value !== null && "invoke" in value && isFunction(value.invoke);
const optionalFunction = z.custom(isFunction, { error: "must be a function" }).optional();

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
  input: optionalFunction,
  output: optionalFunction,
  speaks: optionalFunction,
  stream: z.boolean().default(true),
  onEnd: optionalFunction,
  schemas: z
    .strictObject({ input: jsonSchema.optional(), output: jsonSchema.optional() })
    .default({}),
});

const settings = shape.refine(({ stream, expose }) => stream || expose !== "all", {
  path: ["stream"],
  error: 'must not be false where expose is "all", which shows what the models say',
});

/**
 * Checks a definition and fills in its defaults.
 * @throws Error that names the bot and every setting that is wrong.
 */
export function defineBot(definition: BotDefinition): Bot {
  const parsed = settings.safeParse(definition);
  if (!parsed.success) {
    throw new Error(
      `Bot "${definition.id}" is not defined well:\n${z.prettifyError(parsed.error)}`,
    );
  }
  const { runnable } = definition;
  return {
    id: parsed.data.id,
    title: parsed.data.title,
    description: parsed.data.description,
    memory: parsed.data.memory,
    expose: parsed.data.expose,
    schemas: {
      input: parsed.data.schemas.input ?? { type: "string" },
      output: parsed.data.schemas.output ?? { type: "string" },
    },
    stream: parsed.data.stream,
    makesRunnables: typeof runnable === "function",
    onEnd: definition.onEnd,
    makeRunnable:
      typeof runnable === "function" ? (context) => make(runnable, context) : () => runnable,
    input: definition.input,
    output: definition.output,
    speaks: definition.speaks,
  };
}

async function make(
  factory: (context: BotContext) => BotRunnable | Promise<BotRunnable>,
  context: BotContext,
): Promise<BotRunnable> {
  const made: unknown = await factory(context);
  if (isRunnable(made)) return made;
  throw new LangwireError("BOT_FAILED", {
    cause: new TypeError("The bot's factory did not return a LangChain runnable."),
  });
}
