/** What a bot is: a LangChain runnable with the settings that put it on the wire. */
import type { BaseMessage } from "@langchain/core/messages";
import type { Runnable } from "@langchain/core/runnables";
import type { BotTypes, TypesOfSettings } from "./definition/bot-types.ts";
import type { BotSchemas } from "./definition/schemas.ts";
import { checkSettings, isRunnable, runnableProblem } from "./definition/settings.ts";
import { isStandardSchema, type StandardSchema } from "./definition/standard-schema.ts";

/** The run, its conversation and its user, for a bot's own functions. */
export interface BotContext<Context = unknown> {
  readonly runId: string;
  readonly conversationId: string;
  /** Who sent the run's message. */
  readonly userId: string;
  /**
   * What `authenticate` gave of that user besides, as the bot's `context` schema made it. The runnable has
   * it as LangChain's own `config.context`. Undefined where `authenticate` gave none.
   */
  readonly context: Context;
}

export interface HistoryMessage {
  readonly role: "human" | "ai";
  readonly text: string;
}

/** One human message and what was said before it, oldest first, as far as the bot's memory allows. */
export interface BotTurn {
  readonly message: string;
  readonly history: readonly HistoryMessage[];
  /**
   * The same as LangChain's messages, with what the bot's models asked of tools and what these gave, each
   * call with its result; also of turns that were stopped before there was an answer.
   */
  readonly messages: readonly BaseMessage[];
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

/**
 * What a bot is made of. `Input`, `Output` and `State` are the settings of those names: with a Standard
 * Schema (zod, valibot, arktype …), clients infer its type. `Context` is what the schema `context` makes.
 */
export interface BotDefinition<
  Id extends string = string,
  Input extends InputSetting = InputSetting,
  Output extends OutputSetting = OutputSetting,
  State extends StateSetting = StateSetting,
  Context = unknown,
> {
  /** Names the bot in every request. */
  readonly id: Id;
  readonly title: string;
  readonly description: string;
  /** The runnable, or a function that makes one for each run. */
  readonly runnable: BotRunnable | Factory<Context>;
  /**
   * A schema of what `authenticate` gives as the caller's `context`: where that does not fit, no run
   * begins, and what does not is named. Without it, the bot is given whatever there is.
   */
  readonly context?: StandardSchema<unknown, Context> | undefined;
  /**
   * The last exchanges that the bot is given, or `false` for none: right for a graph with a
   * checkpointer, which remembers by itself (`thread_id` is the conversation). Default: the last two.
   * A bot whose `input` is a schema is given none.
   */
  readonly memory?: Memory | false | undefined;
  /** Default: `root`. */
  readonly expose?: Expose | undefined;
  /**
   * A schema: `chat.send` takes an `input` in place of a message, refused where it does not fit, and the
   * runnable is given what the schema makes of it. A function: makes the runnable's input of the turn.
   * Default: see `defaultInput` in run/bot-input.ts.
   */
  readonly input?: Input | MakeInput<Context> | undefined;
  /**
   * A schema: the answer is a value besides a text, `runEnd.output`: `structuredResponse` of an agent's
   * state, else what the runnable returned. Where that does not fit, the run fails OUTPUT_INVALID.
   * A function: finds the answer's text in what the runnable returned; where it returns undefined, and by
   * default, it is found as `answerIn` in run/bot-output.ts says.
   */
  readonly output?: Output | undefined;
  /** Channels that the bot reports while it works, by name, each with the schema of its values. */
  readonly state?: State | undefined;
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
  readonly onEnd?: ((context: BotContext<Context>) => unknown) | undefined;
  /** JSON Schemas to show in `bots.list`. Default: those of `input`, `output` and `state`, or of a text. */
  readonly schemas?: Partial<BotSchemas> | undefined;
}

type Factory<Context> = (context: BotContext<Context>) => BotRunnable | Promise<BotRunnable>;
type MakeInput<Context> = (turn: BotTurn, context: BotContext<Context>) => unknown;
type FindAnswer = (value: unknown) => string | undefined;
type InputSetting = StandardSchema | undefined;
type OutputSetting = StandardSchema | FindAnswer | undefined;
type StateSetting = Readonly<Record<string, StandardSchema>>;

/** A definition that was checked, with its defaults filled in. */
export interface Bot<Types extends BotTypes = BotTypes> {
  /** There for the compiler alone: clients' types are inferred from it. */
  readonly "~types"?: Types;
  readonly id: Types["id"];
  readonly title: string;
  readonly description: string;
  readonly memory: Required<Memory> | false;
  readonly expose: Expose;
  readonly schemas: BotSchemas;
  readonly stream: boolean;
  /** Whether a factory makes a runnable for each run. */
  readonly makesRunnables: boolean;
  /** Whatever these three are given as `context`, `contextSchema` has checked. */
  readonly onEnd: ((context: BotContext) => unknown) | undefined;
  readonly makeRunnable: Factory<unknown>;
  readonly input?: MakeInput<unknown> | undefined;
  readonly contextSchema?: StandardSchema | undefined;
  readonly inputSchema?: StandardSchema | undefined;
  readonly output?: FindAnswer | undefined;
  readonly outputSchema?: StandardSchema | undefined;
  /** By channel. */
  readonly state: StateSetting | undefined;
  readonly speaks: BotDefinition["speaks"];
}

/**
 * Checks a definition and fills in its defaults.
 * @throws Error that names the bot and every setting that is wrong.
 */
export function defineBot<
  const Id extends string,
  Input extends InputSetting = undefined,
  Output extends OutputSetting = FindAnswer,
  State extends StateSetting = Readonly<Record<never, never>>,
  Context = unknown,
>(
  definition: BotDefinition<Id, Input, Output, State, Context>,
): Bot<TypesOfSettings<Id, Input, Output, State>> {
  // Which context its functions take is the compiler's alone: the schema checks what they are given.
  const erased = definition as unknown as BotDefinition;
  const { runnable, input, output, state, onEnd, speaks, context: contextSchema } = erased;
  const { title, description, memory, expose, schemas, stream } = checkSettings(erased);
  return {
    id: definition.id,
    title,
    description,
    memory,
    expose,
    schemas,
    stream,
    makesRunnables: typeof runnable === "function",
    onEnd,
    makeRunnable:
      typeof runnable === "function"
        ? (context) => make(runnable, context, erased)
        : () => runnable,
    contextSchema,
    ...(isStandardSchema(input) ? { inputSchema: input } : { input }),
    ...(isStandardSchema(output) ? { outputSchema: output } : { output }),
    state,
    speaks,
  };
}

async function make(
  factory: Factory<unknown>,
  context: BotContext,
  definition: Pick<BotDefinition, "input" | "output">,
): Promise<BotRunnable> {
  const made: unknown = await factory(context);
  const problem = isRunnable(made)
    ? runnableProblem(made, definition)
    : "The bot's factory did not return a LangChain runnable.";
  if (isRunnable(made) && problem === undefined) return made;
  throw new TypeError(problem);
}
