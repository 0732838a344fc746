/**
 * A conversation as a user interface needs it. It knows no framework: whoever draws it subscribes and
 * reads the state.
 *
 * There is one source: the watch of the conversation. What this chat sends comes back through it like
 * everybody else's, so a second window, a reload in mid-answer and a lost socket are no special cases.
 *
 *   unopened ── subscribe ──▶ watching ── the server does not know it ──▶ new
 *                               ▲                                         │
 *                               └────────── first message accepted ───────┘
 */
import type { LangwireClient } from "../client.ts";
import { LangwireClientError, toClientError } from "../errors.ts";
import type { Run } from "../run.ts";
import type { ChatEvent, EventOf, Message, SendInput } from "../types.ts";
import { uuid } from "../uuid.ts";
import type { ChatState, ChatStatus } from "./chat-state.ts";
import { FrameBatch } from "./frame-batch.ts";
import { insist } from "./insist.ts";
import { type ChatMessage, fromHistory, Turn } from "./turn.ts";

export interface ChatOptions {
  /** Called when a connection is first needed, never while rendering. */
  readonly client: () => LangwireClient;
  readonly botId: string;
  readonly conversationId: string;
  /** The newest messages, where they are known already: from rendering on a server, say. */
  readonly initialMessages?: readonly Message[] | undefined;
}

export type SendOptions = Pick<SendInput, "ifBusy">;

export class Chat {
  readonly conversationId: string;
  readonly #options: ChatOptions;
  readonly #listeners = new Set<() => void>();
  readonly #batch = new FrameBatch(() => this.#publish());
  /** Runs seen by this chat, oldest first. They know more than the history does. */
  readonly #turns = new Map<string, Turn>();
  /** Runs that this chat sent, until they have ended. */
  readonly #sent = new Map<string, Run>();
  #history: readonly ChatMessage[];
  /** Where the messages before the history are, if there are any. */
  #cursor: string | undefined;
  #loaded: boolean;
  /** Whether the server has this conversation. */
  #known: boolean;
  #problem: LangwireClientError | undefined;
  /** A refusal that is being waited out. */
  #passing: LangwireClientError | undefined;
  #watching: AbortController | undefined;
  #lastEventId: string | undefined;
  #state: ChatState;
  readonly #initialState: ChatState;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.conversationId = options.conversationId;
    this.#loaded = options.initialMessages !== undefined;
    this.#history = (options.initialMessages ?? []).map(fromHistory);
    this.#known = this.#history.length > 0;
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
   * Sends a message. It is shown at once.
   * @returns how its run ended. Rejects when it was refused; the state says so, too, so nobody has to
   * wait for it
   */
  readonly send = (text: string, options: SendOptions = {}): Promise<EventOf<"runEnd">> => {
    const runId = uuid();
    this.#problem = undefined;
    this.#turns.set(runId, Turn.sending({ runId, text }));
    const { client, botId } = this.#options;
    const { conversationId } = this;
    // The watch brings the events; this says only whether the run was accepted.
    const only: SendInput["only"] = ["runStart"];
    const run = client().send({ runId, botId, conversationId, message: text, only, ...options });
    this.#sent.set(runId, run);
    void this.#untilAccepted(run).finally(() => this.#sent.delete(runId));
    this.#batch.flush();
    return run.ended;
  };

  /** Stops the run in progress, for everybody. Settles when it has ended. */
  readonly stop = async (): Promise<void> => {
    const turn = this.#unfinished();
    if (turn === undefined) return;
    const { runId } = turn;
    try {
      // Of a message that is on its way the server knows nothing yet: its run waits for that.
      await (this.#sent.get(runId)?.cancel() ?? this.#options.client().cancel(runId));
    } catch (cause) {
      this.#fail(toClientError(cause));
    }
  };

  /** Sends the last message once more, as a new run; one that was refused goes from the list. */
  readonly regenerate = (): Promise<EventOf<"runEnd">> | undefined => {
    const last = this.#state.messages.findLast(({ role }) => role === "human");
    if (last === undefined) return undefined;
    if (last.status === "refused") this.#turns.delete(last.runId);
    return this.send(last.text);
  };

  /** Loads the messages before the first one, if there are any. */
  readonly loadEarlier = async (): Promise<void> => {
    const { conversationId } = this;
    const cursor = this.#cursor;
    if (cursor === undefined) return;
    try {
      const page = await this.#options.client().conversations.messages({ conversationId, cursor });
      this.#cursor = page.nextCursor;
      this.#history = [...page.items.map(fromHistory), ...this.#history];
      this.#batch.schedule();
    } catch (cause) {
      this.#fail(toClientError(cause));
    }
  };

  #watch(): void {
    if (this.#watching !== undefined) return;
    this.#watching = new AbortController();
    this.#follow(this.#watching.signal).catch((cause: unknown) => {
      this.#watching = undefined;
      this.#fail(toClientError(cause));
    });
  }

  #unwatch(): void {
    this.#watching?.abort();
    this.#watching = undefined;
  }

  #follow(signal: AbortSignal): Promise<void> {
    const { conversationId } = this;
    return this.#insist(signal, async () => {
      const lastEventId = this.#lastEventId;
      const watch = this.#options.client().watch({ conversationId, lastEventId }, { signal });
      await watch.started;
      this.#passed();
      // Only now: a run that ends between the two would be in neither.
      if (!this.#loaded || lastEventId === undefined)
        this.#load(signal).catch((cause: unknown) => this.#fail(toClientError(cause)));
      for await (const event of watch) {
        this.#known = true;
        this.#lastEventId = watch.lastEventId;
        this.#add(event);
      }
    });
  }

  #load(signal: AbortSignal): Promise<void> {
    const { conversationId } = this;
    return this.#insist(signal, async () => {
      const page = await this.#options.client().conversations.messages({ conversationId });
      this.#passed();
      this.#cursor = page.nextCursor;
      this.#known = true;
      this.#history = page.items.map(fromHistory);
      this.#loaded = true;
      this.#batch.schedule();
    });
  }

  /** A refusal that may pass is shown until it has. */
  #insist(signal: AbortSignal, attempt: () => Promise<void>): Promise<void> {
    const onRefused = (error: LangwireClientError) => {
      this.#passing = error;
      this.#fail(error);
    };
    return insist(attempt, { signal, onRefused });
  }

  #passed(): void {
    if (this.#passing === undefined) return;
    if (this.#problem === this.#passing) this.#problem = undefined;
    this.#passing = undefined;
    this.#batch.schedule();
  }

  async #untilAccepted(run: Run): Promise<void> {
    try {
      for await (const event of run) {
        if (event.type !== "runStart") continue;
        this.#lastEventId ??= run.lastEventId;
        this.#add(event);
      }
    } catch (cause) {
      this.#turns.get(run.id)?.refuse(toClientError(cause));
      this.#batch.schedule();
    }
  }

  #add(event: ChatEvent): void {
    const { runId } = event;
    const known = this.#turns.get(runId);
    if (known?.phase === "over") return;
    const turn = known ?? new Turn(runId);
    // A message that was on its way has its place where it was accepted.
    if (turn.phase === "sending") this.#turns.delete(runId);
    this.#turns.set(runId, turn);
    turn.add(event);
    if (this.#listeners.size > 0) this.#watch();
    this.#batch.schedule();
  }

  #unfinished(): Turn | undefined {
    return [...this.#turns.values()].findLast(({ phase }) => phase !== "over");
  }

  #fail(error: LangwireClientError): void {
    if (error.code === "NOT_FOUND" && !this.#known) this.#startEmpty();
    else this.#problem = error;
    this.#batch.schedule();
  }

  /** Nobody has written here yet, so the first message brings the first event. */
  #startEmpty(): void {
    this.#loaded = true;
    this.#lastEventId ??= "0";
    if (this.#unfinished()?.phase === "running") this.#watch();
  }

  #publish(): void {
    this.#state = this.#nextState();
    for (const listener of [...this.#listeners]) listener();
  }

  #nextState(): ChatState {
    const live = [...this.#turns.values()].flatMap((turn) => turn.messages);
    const ids = new Set(live.map(({ id }) => id));
    const messages = [...this.#history.filter(({ id }) => !ids.has(id)), ...live];
    return {
      messages,
      status: this.#status(),
      error: this.#problem ?? errorOf(messages.at(-1)),
      hasEarlier: this.#cursor !== undefined,
    };
  }

  #status(): ChatStatus {
    const unfinished = this.#unfinished();
    if (unfinished?.phase === "sending") return "submitted";
    if (unfinished?.phase === "running") return "streaming";
    return this.#loaded || this.#problem !== undefined ? "ready" : "loading";
  }
}

function errorOf(message: ChatMessage | undefined): LangwireClientError | undefined {
  const { error } = message ?? {};
  return error === undefined ? undefined : new LangwireClientError(error);
}
