/** Runs a bot on one message: emits its events as they happen, and says how it ended. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { LangwireError } from "../../protocol/errors.ts";
import type { Json, Usage } from "../../protocol/events.ts";
import type { Bot, BotContext, BotRunnable, BotTurn } from "../bot.ts";
import { checkOutput } from "../definition/checked-output.ts";
import { ExchangeRecorder } from "../exchange/exchange-recorder.ts";
import { WithheldText } from "../exposure/withheld-text.ts";
import type { BotFailure } from "../failures/bot-failure.ts";
import { runConfig } from "../invocation/run-config.ts";
import { streamWriter } from "../invocation/stream-writer.ts";
import { type ContainedBot, type StrayError, withBotAtWork } from "../isolation/bot-at-work.ts";
import { BotLifetime } from "../isolation/bot-lifetime.ts";
import { type PastMessage, recall } from "../memory.ts";
import { RunCalls, withProviderCalls } from "../provider/provider-calls.ts";
import type { ThreadConfig } from "../threads/checkpointed-graphs.ts";
import { replacedChannels } from "../threads/graphs.ts";
import { continuesThread, repairThreads } from "../threads/thread-repair.ts";
import { defaultInput } from "./bot-input.ts";
import { answerIn, asJson, spokenIn } from "./bot-output.ts";
import { EventCallbacks } from "./callbacks.ts";
import { brokenPart } from "./model/broken-part.ts";
import { type SpanEvent, SpanWriter } from "./span-writer.ts";
import { StateEvents } from "./state/state-events.ts";

export type { SpanEvent } from "./span-writer.ts";

export interface BotRun {
  /** Settles once, never rejects. When it has settled, no event comes any more. */
  readonly done: Promise<BotOutcome>;
  /** Settles when the bot has closed what it opened for the run. Never rejects. */
  readonly closed: Promise<void>;
  /** As far as it is known by now; undefined as long as nothing is. */
  readonly usage: Usage | undefined;
  /** JSON of what models and tools said to each other, for the bot's memory; once `done` has settled. */
  readonly modelMessages: string | undefined;
  /** HTTP requests seen so far, to the provider of a `createModel` model; undefined as long as none was. */
  readonly providerCalls: number | undefined;
}

export type BotOutcome =
  /** `text` is undefined when the bot returned none: what was spoken is the answer then. */
  | {
      readonly status: "completed";
      readonly text: string | undefined;
      /** What a typed bot answered, as it was checked. */
      readonly output?: Json;
    }
  | { readonly status: "failed"; readonly error: LangwireError };

export interface StartOptions {
  /** With the caller's own context as the bot's schema made it. */
  readonly context: Omit<BotContext, "context"> & Partial<Pick<BotContext, "context">>;
  /** With all that its memory may take. */
  readonly turn: { readonly message: string; readonly history: readonly PastMessage[] };
  /** What a typed bot is given, as it was checked. */
  readonly input?: unknown;
  /** Of the files of the run's tools, together, as `data:` URLs (content/tool-results.ts). */
  readonly maxFileCharacters?: number | undefined;
  /** Called synchronously, in causal order. It must be cheap and must not throw. */
  readonly emit: (event: SpanEvent) => void;
  /** The answer so far, folded from the events that were emitted. */
  readonly spoken: () => string;
  /** Stops the bot: the provider's connection closes, and `done` settles at once. */
  readonly signal: AbortSignal;
  /** Called for each span that fails, synchronously and before its event is emitted. */
  readonly onBotFailure?: ((failure: BotFailure) => void) | undefined;
  /** Called for failures that do not end the run, for the server's log. */
  readonly onFailure?: ((what: string, cause: unknown) => void) | undefined;
  /** Called for errors that nobody in the bot's code could catch; without it they are not contained. */
  readonly onStrayError?: ((error: StrayError) => void) | undefined;
  /** More handlers of LangChain's, for tracing. */
  readonly callbacks?: readonly BaseCallbackHandler[] | undefined;
}

export function startBot(bot: Bot, options: StartOptions): BotRun {
  return new BotExecution(bot, options);
}

class BotExecution implements BotRun {
  readonly done: Promise<BotOutcome>;
  readonly closed: Promise<void>;
  readonly #bot: Bot;
  readonly #options: StartOptions;
  readonly #context: BotContext;
  readonly #writer: SpanWriter;
  readonly #callbacks: EventCallbacks;
  readonly #state: StateEvents;
  readonly #exchange: ExchangeRecorder | undefined;
  readonly #lifetime: BotLifetime;
  readonly #withheld: WithheldText | undefined;
  /** The bot's signal, aborted in the bot's async context: what its listeners throw is the bot's error. */
  readonly #stopping = new AbortController();
  readonly #crashed = Promise.withResolvers<BotOutcome>();
  /** A retry resets the model's span, where the model says which that is. */
  readonly #calls = new RunCalls((spanId) => {
    const span = this.#writer.tree.get(spanId);
    if (span?.open) this.#writer.reset(span);
  });

  constructor(bot: Bot, options: StartOptions) {
    this.#bot = bot;
    this.#options = options;
    const { onStrayError: stray, onFailure, onBotFailure } = options;
    const context: BotContext = { context: undefined, ...options.context };
    this.#context = context;
    const { runId } = context;
    this.#lifetime = new BotLifetime({ bot, context, onFailure });
    const hasOutput = bot.output !== undefined || bot.outputSchema !== undefined;
    this.#withheld = bot.stream ? undefined : new WithheldText({ emit: options.emit, hasOutput });
    const emit = this.#withheld?.emit.bind(this.#withheld) ?? options.emit;
    this.#writer = new SpanWriter({ runId, expose: bot.expose, emit, onBotFailure });
    this.#state = new StateEvents(this.#writer, { schemas: bot.state ?? {}, onFailure });
    const { memory, stream } = bot;
    const remembers = memory !== false && memory.k > 0;
    if (remembers) this.#exchange = new ExchangeRecorder({ hidesTexts: !stream });
    const { maxFileCharacters } = options;
    const facts = { bot, state: this.#state, exchange: this.#exchange, maxFileCharacters };
    this.#callbacks = new EventCallbacks(this.#writer, facts);
    const run = () => {
      const done = this.#run();
      return { done, closed: done.then(() => this.#lifetime.end()) };
    };
    if (stray === undefined) {
      ({ done: this.done, closed: this.closed } = run());
    } else {
      const crash = (cause: unknown): void => this.#crash(cause);
      const atWork: ContainedBot = { botId: bot.id, runId, stray, crash };
      ({ done: this.done, closed: this.closed } = withBotAtWork(atWork, run));
      // Pooled connections keep the async context longer than the run: it must not hold the run.
      void this.done.then(() => {
        atWork.crash = undefined;
      });
    }
  }

  get usage(): Usage | undefined {
    return this.#callbacks.models.usage;
  }

  get modelMessages(): string | undefined {
    return this.#exchange?.json;
  }

  get providerCalls(): number | undefined {
    return this.#calls.requests;
  }

  async #run(): Promise<BotOutcome> {
    const { signal } = this.#options;
    // Settles `done` at once: LangChain may take long to notice the signal, or ignore it.
    const aborted = Promise.withResolvers<BotOutcome>();
    // Bound to this context, which is the bot's: its listeners run in whichever context aborts.
    const onAbort = AsyncLocalStorage.bind((): void => {
      this.#writer.close();
      aborted.resolve(stopped(signal));
      this.#stopping.abort(signal.reason);
    });
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await Promise.race([aborted.promise, this.#crashed.promise, this.#work()]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#writer.close();
    }
  }

  /** Fails the run for an error that nobody in the bot's code could catch: its work cannot go on. */
  #crash(cause: unknown): void {
    this.#crashed.resolve({ status: "failed", error: this.#writer.name(cause, "chain") });
    this.#stopping.abort(cause);
  }

  async #work(): Promise<BotOutcome> {
    const { signal } = this.#options;
    try {
      const value = await withProviderCalls(this.#calls, () => this.#invoke());
      if (signal.aborted) return stopped(signal);
      const outcome = await this.#outcome(value);
      if (signal.aborted) return stopped(signal);
      return outcome;
    } catch (thrown) {
      if (signal.aborted) return stopped(signal);
      return { status: "failed", error: this.#writer.name(thrown, "chain") };
    }
  }

  async #invoke(): Promise<unknown> {
    const { turn, signal, callbacks } = this.#options;
    const config = runConfig(this.#bot, this.#context, {
      callbacks: [this.#callbacks, ...(callbacks ?? [])],
      signal: this.#stopping.signal,
      writer: streamWriter(this.#writer, this.#state),
    });
    const runnable = await this.#lifetime.make();
    if (this.#bot.state !== undefined) this.#state.replacedIn(replacedChannels(runnable));
    const input = await this.#input(runnable, recall(this.#bot.memory, turn));
    this.#exchange?.given(input);
    const { configurable = {} } = config;
    if (!continuesThread(input)) await this.#repair(runnable, { configurable });
    signal.throwIfAborted();
    return runnable.invoke(input, config);
  }

  /** The order of what the answer may be is told in bot-output.ts. */
  async #outcome(value: unknown): Promise<BotOutcome> {
    const { tree } = this.#writer;
    const { outputSchema } = this.#bot;
    const found = asText(this.#bot.output?.(value));
    const text = found ?? (outputSchema ? spokenIn(value, tree) : answerIn(value, tree));
    // A bot that handles interrupts itself has an `output` that returns the question as the answer.
    const asksByItself = found !== undefined && found !== "";
    const output = outputSchema && (await checkOutput(outputSchema, value));
    const hasAnswer = output === undefined ? text !== undefined && text !== "" : "value" in output;
    if (!asksByItself && this.#writer.interrupts.leftOpen(value, hasAnswer)) {
      return { status: "failed", error: new LangwireError("INTERRUPT_UNSUPPORTED") };
    }
    // What a guard took back is not the answer, though it was the last thing spoken.
    const isTakenBack = tree.hasRemoved && tree.lastSpeaker?.isRemoved === true;
    const withheld = isTakenBack ? "" : this.#withheld?.text || undefined;
    const answer = text ?? withheld ?? this.#options.spoken();
    const error = this.#callbacks.models.fault ?? brokenPart(answer, tree.models);
    if (error !== undefined) return { status: "failed", error };
    if (output !== undefined && "error" in output) {
      return { status: "failed", error: output.error };
    }
    this.#writer.closeOpenSpans();
    this.#exchange?.returned(value);
    if (output !== undefined) {
      return { status: "completed", text: text ?? withheld, output: output.value };
    }
    if (answer === "" && (value === undefined || value === null)) {
      const cause = new TypeError(`Bot "${this.#bot.id}": is a \`return\` missing?`);
      this.#options.onFailure?.("a bot returned nothing, and no model spoke", cause);
    }
    const hidesTools = !this.#writer.exposesTools;
    const json = () => asJson(value, { spans: tree, hidesTools });
    return { status: "completed", text: text ?? withheld ?? json() };
  }

  /** Failing to repair does not fail the run: the graph may be able to go on. */
  async #repair(runnable: BotRunnable, config: ThreadConfig): Promise<void> {
    try {
      await repairThreads(runnable, config);
    } catch (cause) {
      this.#options.onFailure?.("a bot's thread could not be repaired", cause);
    }
  }

  #input(runnable: BotRunnable, turn: BotTurn): unknown {
    if (this.#bot.inputSchema !== undefined) return this.#options.input;
    if (this.#bot.input !== undefined) return this.#bot.input(turn, this.#context);
    return defaultInput(runnable, turn);
  }
}

/**
 * The answer that a bot's `output` returned. Anything but a text fails the run.
 * @throws TypeError
 */
function asText(found: unknown): string | undefined {
  if (found === undefined || found === null) return undefined;
  if (typeof found === "string") return found.toWellFormed();
  // A promise among them may reject later, and nobody else holds it.
  if (typeof found === "object") Promise.resolve(found).catch(() => {});
  throw new TypeError(`The bot's output returned no text but ${typeof found}.`);
}

function stopped(signal: AbortSignal): BotOutcome {
  const { reason } = signal;
  const error =
    reason instanceof LangwireError
      ? reason
      : new LangwireError("INTERNAL", { message: "The run was stopped.", cause: reason });
  return { status: "failed", error };
}
