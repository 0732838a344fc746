/**
 * One run while it is in progress on this process.
 *
 *   running ── bot is done ─────────────▶ ending ── stored ──▶ ended
 *      └── cancel, limit, shutdown ─▶ stopping ─┘
 *
 * What ends a run that is worked on:
 *
 *   the bot is done, or failed            completed, or failed with the bot's error
 *   cancel()                              cancelled, for: a member (`chat.cancel`); a sender with
 *                                         `ifBusy: "interrupt"`; a deleted conversation; a run that the
 *                                         store has over (reconcile.ts)
 *   fail(RUN_TIMEOUT, RUN_TOO_LARGE)      failed, by the run's own limits (../limits.ts)
 *   fail(OVERLOADED)                      failed: the largest, where all together are too large
 *                                         (../admission/live-bytes.ts)
 *   fail(STORE_UNAVAILABLE)               failed: the history cannot be read, or the log cannot be written,
 *                                         or the database lost it, and its place is taken (lost-runs.ts)
 *   fail(OWNER_LOST)                      ended elsewhere: another process took it over
 *   fail(SERVER_RESTARTED)                failed: a shutdown whose grace is over
 *   an error thrown outside of the bot    failed: from a timer, say. A rejection that nobody holds ends
 *     (../../bots/isolation)              nothing
 *   the store refuses the ending          failed, INTERNAL, without a text (finalizer.ts)
 *   a fault of ours in ending it          failed, INTERNAL (#broken below)
 *
 * A run that nobody works on is ended by unattended.ts, for recovery, reconcile and the reaper; one that
 * was claimed and whose log could not be opened, by `abandon` in finalizer.ts.
 *
 * Exactly one path leads to `runEnd`: `#work` is the only caller of `#end`, and runs once, whatever the
 * bot does. A run that another process has taken over gets its `runEnd` there, and here neither stores
 * nor appends one.
 */
import type { Bot } from "../../bots/bot.ts";
import type { BotFailure } from "../../bots/failures/bot-failure.ts";
import type { StrayError } from "../../bots/isolation/bot-at-work.ts";
import type { PastMessage } from "../../bots/memory.ts";
import { type SpanEvent, startBot } from "../../bots/run/run-bot.ts";
import type { LogEntry } from "../../log/entry.ts";
import type { RunWriter } from "../../log/log.ts";
import type { Conversation } from "../../protocol/conversations.ts";
import { LangwireError } from "../../protocol/errors.ts";
import { MessageFold } from "../../protocol/fold/message-fold.ts";
import type { Run } from "../../store/store.ts";
import type { LiveBytes } from "../admission/live-bytes.ts";
import type { RunLimits } from "../limits.ts";
import { type RunEnding, runEndOf, runStartOf } from "../run-events.ts";
import type { BegunRun } from "./lost-runs.ts";

/** The end of a run in its log. */
export interface EndInLog {
  /** The number of its `runEnd`. */
  readonly endSeq: number;
  readonly endedAt: string;
  /** What is before its `runEnd`. */
  readonly entries: () => readonly LogEntry[];
}

export interface LiveRunOptions extends BegunRun {
  readonly bot: Bot;
  /** What a typed bot is given, as it was checked. */
  readonly input?: unknown;
  /** The context of whoever sent the message. In memory alone. */
  readonly context?: unknown;
  /** What was said before. The run fails where this rejects. */
  readonly history: () => Promise<readonly PastMessage[]>;
  readonly writer: RunWriter;
  readonly limits: RunLimits;
  /** Stores the ending. @returns the one that readers get: the stored one, where the run had ended before */
  readonly store: (ending: RunEnding, end: EndInLog) => Promise<RunEnding>;
  /** Called for what fails of the bot, the run itself included, before any reader hears of it. */
  readonly onBotFailure?: ((failure: BotFailure) => void) | undefined;
  /** Called for failures that do not end the run. */
  readonly onFailure?: ((what: string, cause: unknown) => void) | undefined;
  /** Called for errors that get out of the bot's code; without it they are not contained. */
  readonly onStrayError?: ((error: StrayError) => void) | undefined;
  /** Runs the bot's code. Default: calls it. */
  readonly within?: (<T>(botCode: () => T) => T) | undefined;
  /** Counts it, with all others that are in progress here. */
  readonly liveBytes: LiveBytes;
  /** Called for each event but tokens and reasoning. */
  readonly observe?: ((event: SpanEvent) => void) | undefined;
}

/** Why a run is stopped: by its caller, or for a failure. */
type StopReason = "cancelled" | LangwireError;

export class LiveRun implements BegunRun {
  readonly run: Run;
  readonly conversation: Conversation | undefined;
  /** Settles when `runEnd` can be read, or when another process is to write it. Never rejects. */
  readonly ended: Promise<RunEnding>;
  readonly #options: LiveRunOptions;
  readonly #message = new MessageFold();
  readonly #stopping = new AbortController();
  #stopReason: StopReason | undefined;
  #accepting = true;
  #bytes = 0;
  readonly #closed = Promise.withResolvers<void>();
  readonly #startedMs = performance.now();
  #firstTokenMs: number | undefined;

  constructor(options: LiveRunOptions) {
    this.run = options.run;
    this.conversation = options.conversation;
    this.#options = options;
    options.liveBytes.add(this);
    const { lost } = options.writer;
    lost?.addEventListener("abort", () => this.fail(lost.reason), { once: true });
    this.ended = this.#work();
  }

  /** Settles when the bot has closed what it opened for the run. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Of its events. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of the last event that it wrote. */
  get lastSeq(): number {
    return this.#options.writer.lastSeq;
  }

  /** Aborts the provider's call at once; `ended` settles when the run is over. */
  cancel(): void {
    this.#stop("cancelled");
  }

  /** Stops the run because it cannot or may not go on. */
  fail(error: LangwireError): void {
    this.#stop(error);
  }

  async #work(): Promise<RunEnding> {
    const ending = await this.#outcome().catch((cause) => this.#broken(cause));
    return this.#end(ending).catch((cause) => this.#broken(cause));
  }

  /** The ending when ending the run itself threw, which is a fault of ours: `ended` never rejects. */
  #broken(cause: unknown): RunEnding {
    this.#accepting = false;
    this.#closed.resolve();
    this.#options.liveBytes.delete(this);
    const error = new LangwireError("INTERNAL").toFailure();
    return { status: "failed", text: this.#message.text, error, cause };
  }

  async #outcome(): Promise<RunEnding> {
    const { run, bot, input, context, writer, limits, within } = this.#options;
    const { onFailure, onBotFailure, onStrayError } = this.#options;
    const { runId, conversationId, userId, message } = run;
    writer.append(runStartOf(run));
    const signal = this.#stopping.signal;
    const timeout = setTimeout(
      () => this.fail(new LangwireError("RUN_TIMEOUT")),
      limits.runTimeoutMs,
    );
    const history = await this.#history();
    const start = () =>
      startBot(bot, {
        context: { runId, conversationId, userId, context },
        turn: { message, history },
        input,
        maxFileCharacters: limits.maxRunBytes / 2,
        emit: (event) => this.#emit(event),
        spoken: () => this.#message.text,
        onBotFailure,
        onFailure,
        onStrayError,
        signal,
      });
    const botRun = within === undefined ? start() : within(start);
    this.#closed.resolve(botRun.closed);
    const outcome = await botRun.done;
    clearTimeout(timeout);
    this.#accepting = false;
    this.#options.liveBytes.storing(this);
    const { usage, providerCalls, modelMessages } = botRun;
    const known = { usage, providerCalls, modelMessages, firstTokenMs: this.#firstTokenMs };
    if (this.#stopReason === "cancelled") {
      return { status: "cancelled", text: this.#message.text, ...known };
    }
    if (this.#stopReason === undefined && outcome.status === "completed") {
      // The last of what an answer may be: bots/run/bot-output.ts has the order.
      const text = outcome.text ?? this.#message.text;
      // LangChain has joined it too, and the run waits to be stored with it.
      this.#message.share(text);
      const { output } = outcome;
      const outputText = output === undefined ? "" : JSON.stringify(output);
      if (Buffer.byteLength(text) + Buffer.byteLength(outputText) <= limits.maxRunBytes) {
        return { status: "completed", text, output, ...known };
      }
      this.#stopReason = new LangwireError("RUN_TOO_LARGE");
    }
    const error =
      this.#stopReason ??
      (outcome.status === "failed" ? outcome.error : new LangwireError("INTERNAL"));
    onBotFailure?.({ error });
    return {
      status: "failed",
      text: this.#message.text,
      error: error.toFailure(),
      cause: error.cause,
      ...known,
    };
  }

  #emit(event: SpanEvent): void {
    if (!this.#accepting || this.#stopReason !== undefined) return;
    const { run, writer, limits, observe, liveBytes } = this.#options;
    if (event.type === "token") this.#firstTokenMs ??= performance.now() - this.#startedMs;
    else if (event.type !== "reasoning") observe?.(event);
    // Payloads were bounded where they were made; a text is as long as the bot made it.
    const leastBytes = "text" in event ? (event.text?.length ?? 0) : 0;
    if (this.#bytes + leastBytes <= limits.maxRunBytes) {
      this.#message.add(event);
      const grownBytes = writer.append(event);
      this.#bytes += grownBytes;
      liveBytes.grew(this, grownBytes);
      const events = writer.lastSeq - run.firstSeq;
      if (this.#bytes <= limits.maxRunBytes && events <= limits.maxRunEvents) return;
    }
    this.fail(new LangwireError("RUN_TOO_LARGE"));
  }

  async #history(): Promise<readonly PastMessage[]> {
    try {
      return await this.#options.history();
    } catch (cause) {
      this.fail(new LangwireError("STORE_UNAVAILABLE", { cause }));
      return [];
    }
  }

  /**
   * Stores the ending before readers receive `runEnd`: whoever has seen it may send the next message
   * at once, and finds the conversation free.
   */
  async #end(ending: RunEnding): Promise<RunEnding> {
    const { run, writer, store, liveBytes } = this.#options;
    if (ending.error?.code === "OWNER_LOST") {
      liveBytes.delete(this);
      return ending;
    }
    const at = new Date().toISOString();
    const partsOf = (answer: string) => this.#message.end(answer);
    const entries = () => writer.entries();
    const end = { endSeq: writer.lastSeq + 1, endedAt: at, entries };
    const stored = await store({ ...ending, partsOf }, end);
    // The log holds it until here. Before its readers know: who has seen the end may begin the next.
    liveBytes.delete(this);
    const { partsOf: _parts, modelMessages: _messages, ...ended } = stored;
    const appendedMs = performance.now();
    writer.append(runEndOf(run, { at, ...ended }));
    await writer.flushed();
    const appendMs = performance.now() - appendedMs;
    writer.close({ archived: ended.archivedBytes !== undefined });
    return { ...ended, appendMs };
  }

  /** For `cancel` and `fail` alike: the first reason counts, and `#outcome` makes the ending of it. */
  #stop(reason: StopReason): void {
    if (this.#stopReason !== undefined || !this.#accepting) return;
    this.#stopReason = reason;
    this.#stopping.abort(reason);
  }
}
