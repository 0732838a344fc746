/**
 * A conversation as a user interface needs it. It knows no framework: it is subscribed to, and read.
 *
 * There is one source: the watch of the conversation. What this chat sends comes back through it like
 * everybody else's, so a second window, a reload in mid-answer and a lost socket are no special cases.
 *
 *   unopened ── subscribe ──▶ watching ── the server does not know it ──▶ new
 *                               ▲                                         │
 *                               ├────────── first message accepted ───────┤
 *                               └─ somebody else, or another tab, began it ┘ (asked for every few seconds)
 */
import { type Backoff, createBackoff, Delay } from "../connection/backoff.ts";
import { closedError, type LangwireClientError, toClientError } from "../errors.ts";
import type { Run } from "../run.ts";
import type { ChatEvent, EventOf, Json, SendInput } from "../types.ts";
import { uuid } from "../uuid.ts";
import type { ChatOptions, SendOptions } from "./chat-options.ts";
import { type ChatState, type ChatStatus, errorOf, type Work } from "./chat-state.ts";
import { FrameBatch } from "./frame-batch.ts";
import { History, merged } from "./history.ts";
import { retry, unbegunBackoff } from "./retry.ts";
import { Traces } from "./traces.ts";
import { Turns } from "./turns.ts";

export class Chat {
  readonly conversationId: string;
  readonly #options: ChatOptions;
  readonly #listeners = new Set<() => void>();
  readonly #batch = new FrameBatch(() => this.#publish());
  readonly #turns = new Turns();
  /** Runs that this chat sent, until they have ended. */
  readonly #sent = new Map<string, Run>();
  readonly #history: History;
  #loaded: boolean;
  /** Whether the server has this conversation; undefined until it was asked. */
  #known: boolean | undefined;
  readonly #traces: Traces;
  readonly #problems = new Map<Work, LangwireClientError>();
  #watching: AbortController | undefined;
  /** Ends the load of the history that was begun last. */
  #loading: AbortController | undefined;
  /** Whether the server has accepted the watch: it brings every run that is sent from then on. */
  #isWatched = false;
  /** Of the last event that came: a watch that begins behind it brings nothing twice. */
  #lastEventId: string | undefined;
  #state: ChatState;
  readonly #initialState: ChatState;

  constructor(options: ChatOptions) {
    const { conversationId, initialMessages } = options;
    this.#options = options;
    this.conversationId = conversationId;
    const readPage = (cursor: string | undefined) =>
      options.client().conversations.messages({ conversationId, cursor });
    this.#history = new History(readPage, initialMessages);
    this.#traces = new Traces({
      follow: (runId) => options.client().follow({ runId }, { signal: this.#watching?.signal }),
      onLoaded: (runId, spans) => {
        this.#history.trace(runId, spans);
        this.#batch.schedule();
      },
    });
    this.#loaded = initialMessages !== undefined;
    if (this.#history.messages.length > 0) this.#known = true;
    this.#state = this.#initialState = this.#nextState();
  }

  readonly getState = (): ChatState => this.#state;

  /** What a server renders, and the browser before it takes over. */
  readonly getServerState = (): ChatState => this.#initialState;

  /** Follows the conversation for as long as somebody listens. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#watch();
    return () => {
      this.#listeners.delete(listener);
      // React's strict mode leaves and comes back in the same moment.
      setTimeout(() => {
        if (this.#listeners.size === 0) this.#unwatch();
      });
    };
  };

  /**
   * Sends a text as a message, all else as a typed bot's input. It is shown at once.
   * @returns how its run ended. Rejects when it was refused, which the state says as well
   */
  readonly send = (given: Json, options: SendOptions = {}): Promise<EventOf<"runEnd">> => {
    const runId = uuid();
    for (const work of ["earlier", "stop"] as const) this.#problems.delete(work);
    this.#turns.send(runId, given);
    if (this.#watching !== undefined && this.#problems.has("history")) this.#load();
    const { client, botId } = this.#options;
    const { conversationId } = this;
    // The watch brings the events; this says only whether the run was accepted.
    const only: SendInput["only"] = ["runStart"];
    const sent = typeof given === "string" ? { message: given } : { input: given };
    const run = client().send({ runId, botId, conversationId, ...sent, only, ...options });
    this.#sent.set(runId, run);
    void this.#untilAccepted(run, this.#isWatched).finally(() => this.#sent.delete(runId));
    this.#batch.flush();
    return run.ended;
  };

  /** Stops the run in progress, for everybody. Settles when it has ended. */
  readonly stop = async (): Promise<void> => {
    const runId = this.#turns.unfinished?.runId;
    if (runId === undefined) return;
    // Of a message that is on its way the server knows nothing yet: its run waits for that.
    const cancel = () => this.#sent.get(runId)?.cancel() ?? this.#options.client().cancel(runId);
    await this.#attempt("stop", cancel);
  };

  /** Sends the last message once more, as a new run; one that was refused goes from the list. */
  readonly regenerate = (): Promise<EventOf<"runEnd">> | undefined => {
    const last = this.#state.messages.findLast((message) => message.role === "human");
    if (last === undefined) return undefined;
    if (last.status === "refused") this.#turns.delete(last.runId);
    return this.send(last.input ?? last.text);
  };

  /** Loads the messages before the first one, if there are any; twice at a time is once. */
  readonly loadEarlier = (): Promise<void> =>
    this.#attempt("earlier", () => this.#history.loadEarlier());

  /**
   * Loads what happened inside a run that was over before this chat was opened: its answer then has
   * `spans`, as they were live. None where the server keeps no events any more.
   * @throws LangwireClientError where they cannot be read
   */
  readonly loadTrace = (runId: string): Promise<void> => this.#traces.load(runId);

  #watch(): void {
    if (this.#watching !== undefined) return;
    const watching = new AbortController();
    this.#watching = watching;
    const unbegun = createBackoff(unbegunBackoff);
    const { signal } = watching;
    const read = (resetBackoff: () => void) => this.#readWatch(signal, resetBackoff);
    void this.#retry("watch", read, { signal, unbegun }).then((ended) => {
      if (!ended && this.#watching === watching) this.#watching = undefined;
    });
  }

  #unwatch(): void {
    this.#watching?.abort();
    this.#loading?.abort();
    this.#watching = undefined;
    this.#isWatched = false;
  }

  async #readWatch(signal: AbortSignal, resetBackoff: () => void): Promise<void> {
    const place = { conversationId: this.conversationId, lastEventId: this.#lastEventId };
    const watch = this.#options.client().watch(place, { signal });
    await watch.started;
    this.#isWatched = true;
    this.#passed("watch");
    // Only now: a run that ends between the two would be in neither.
    this.#load();
    for await (const event of watch) {
      resetBackoff();
      this.#lastEventId = watch.lastEventId;
      this.#add(event, watch.lastEventId);
    }
    // The client was closed.
    if (!signal.aborted) this.#lose(closedError());
  }

  /** Begins a load in place of one that is under way, or waits to be tried again. */
  #load(): void {
    this.#loading?.abort();
    this.#loading = new AbortController();
    const load = async () => {
      await this.#history.load();
      this.#known = true;
      this.#loaded = true;
      this.#passed("history");
    };
    void this.#retry("history", load, this.#loading);
  }

  /**
   * Tries until it is done or can no more succeed; what keeps it from that is shown meanwhile.
   * @returns whether it was done, or its signal ended it
   */
  async #retry(
    work: Work,
    attempt: (resetBackoff: () => void) => Promise<void>,
    { signal, unbegun }: { readonly signal: AbortSignal; readonly unbegun?: Backoff },
  ): Promise<boolean> {
    const backoff = createBackoff();
    const waitAfter = (error: LangwireClientError) => {
      if (work === "watch") this.#isWatched = false;
      if (error.code === "NOT_FOUND" && this.#known !== true) {
        this.#known = false;
        this.#batch.schedule();
        return unbegun && new Delay(unbegun.next());
      }
      if (work === "watch" && !error.retryable) this.#lose(error);
      this.#fail(work, error);
      return error.retryable ? new Delay((error.retryAfterMs ?? 0) + backoff.next()) : undefined;
    };
    return await retry(() => attempt(backoff.reset), { signal, waitAfter });
  }

  async #untilAccepted(run: Run, wasWatched: boolean): Promise<void> {
    try {
      for await (const event of run) {
        if (event.type !== "runStart") continue;
        // A watch that was asked for meanwhile may have been accepted too late to bring this run.
        if (!wasWatched && this.#lastEventId === undefined) this.#unwatch();
        this.#lastEventId ??= run.startEventId;
        this.#add(event, run.startEventId);
        if (this.#listeners.size > 0) this.#watch();
      }
      // It also ends where the client was closed.
      await run.ended;
    } catch (cause) {
      this.#turns.refuse(run.id, toClientError(cause));
      this.#batch.schedule();
    }
  }

  #add(event: ChatEvent, eventId: string | undefined): void {
    this.#known = true;
    this.#turns.add(event, Number(eventId));
    this.#batch.schedule();
  }

  async #attempt(work: Work, attempt: () => Promise<unknown>): Promise<void> {
    try {
      await attempt();
      this.#passed(work);
    } catch (cause) {
      this.#fail(work, toClientError(cause));
    }
  }

  /** No watch will bring more: what is being made looks as if it went on, for ever. */
  #lose(error: LangwireClientError): void {
    this.#turns.lose(error);
    this.#fail("watch", error);
  }

  #fail(work: Work, error: LangwireClientError): void {
    this.#problems.set(work, error);
    this.#batch.schedule();
  }

  #passed(work: Work): void {
    this.#problems.delete(work);
    this.#batch.schedule();
  }

  #publish(): void {
    this.#state = this.#nextState();
    for (const listener of [...this.#listeners]) listener();
  }

  #nextState(): ChatState {
    const messages = merged(this.#history.messages, this.#turns.messages);
    const [problem] = this.#problems.values();
    return {
      messages,
      status: this.#status(),
      error: problem ?? errorOf(messages.at(-1)),
      hasEarlier: this.#history.hasEarlier,
    };
  }

  #status(): ChatStatus {
    const phase = this.#turns.unfinished?.phase;
    if (phase === "sending") return "submitted";
    if (phase === "running") return "streaming";
    const isSettled = this.#loaded || this.#known === false || this.#problems.size > 0;
    return isSettled ? "ready" : "loading";
  }
}
