/** The client: what an application holds on to. */
import { createBackoff, wait } from "./backoff.ts";
import { Connection, type ConnectionStatus } from "./connection.ts";
import { closedError, LangwireClientError, toClientError } from "./errors.ts";
import { Run } from "./run.ts";
import type { Transport, TransportOptions } from "./transport.ts";
import type { CallOptions, Inputs, SendInput, WatchInput } from "./types.ts";
import { uuid } from "./uuid.ts";
import { Watch } from "./watch.ts";
import { openWebSocket } from "./web-socket.ts";

export type ClientOptions = TransportOptions;

type CreateInput = Omit<Inputs["conversations"]["create"], "conversationId">;
/** A procedure, called. */
type Call<I, O> = (input: I, options?: CallOptions) => Promise<O>;
type Pick<I, O> = (
  conversations: Transport["trpc"]["conversations"],
  bots: Transport["trpc"]["bots"],
) => Call<I, O>;

export class LangwireClient implements AsyncDisposable {
  readonly #connection = new Connection();
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    const { transport: open = openWebSocket } = options;
    this.#transport = open(options, this.#connection);
  }

  /** Opens when something needs it, and comes back by itself when it is lost. */
  get connection(): ConnectionStatus {
    return this.#connection;
  }

  /**
   * Sends a message to a bot.
   * @param options its signal ends the following, not the run: that is what `run.cancel()` does
   */
  send(input: SendInput, options: CallOptions = {}): Run {
    return new Run({ ...this.#parts, ...options, input });
  }

  /** Reads along in a conversation, from the start of the run in progress on, or from now. */
  watch(input: WatchInput, options: CallOptions = {}): Watch {
    return new Watch({ ...this.#parts, ...options, input });
  }

  readonly conversations = {
    /** Before the first message, where that is wanted: `send` creates a conversation as well. */
    create: (
      { conversationId = uuid(), ...input }: CreateInput & { conversationId?: string },
      options?: CallOptions,
    ) => this.#change(({ create }) => create.mutate)({ conversationId, ...input }, options),
    list: (input: Inputs["conversations"]["list"] = {}, options?: CallOptions) =>
      this.#question(({ list }) => list.query)(input, options),
    get: this.#question(({ get }) => get.query),
    messages: this.#question(({ messages }) => messages.query),
    rename: this.#change(({ rename }) => rename.mutate),
    share: this.#change(({ share }) => share.mutate),
    unshare: this.#change(({ unshare }) => unshare.mutate),
    join: this.#change(({ join }) => join.mutate),
    leave: this.#change(({ leave }) => leave.mutate),
    delete: this.#change((conversations) => conversations.delete.mutate),
  };

  readonly bots = {
    list: (options?: CallOptions) =>
      this.#question((_, { list }) => list.query)(undefined, options),
  };

  /** Ends every run's following, every watch and every call. The runs themselves go on. */
  async close(): Promise<void> {
    this.#connection.change("closed");
    this.#connection.giveUp(closedError());
    await this.#transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #parts() {
    return { transport: this.#transport, connection: this.#connection };
  }

  /** What changes nothing is asked again until it is answered. */
  #question<I, O>(pick: Pick<I, O>): Call<I, O> {
    const call = this.#change(pick);
    return async (input, options) => {
      for (const backoff = createBackoff(); ; ) {
        try {
          return await call(input, options);
        } catch (error) {
          const lost = error instanceof LangwireClientError && error.code === "UNREACHABLE";
          if (!lost || error === this.#connection.givenUp) throw error;
          await wait(backoff.next());
        }
      }
    };
  }

  /** What was lost on its way may have been done, or not: the caller decides. */
  #change<I, O>(pick: Pick<I, O>): Call<I, O> {
    return async (input, options) => {
      const connection = this.#connection;
      if (connection.state === "closed") throw closedError();
      connection.givenUp = undefined;
      const { conversations, bots } = this.#transport.trpc;
      try {
        return await pick(conversations, bots)(input, options);
      } catch (cause) {
        if (options?.signal?.aborted) throw closedError();
        const error = toClientError(cause);
        throw error.code === "UNREACHABLE" ? (connection.givenUp ?? error) : error;
      }
    };
  }
}

/** Opens no connection until something is asked for. */
export function createClient(options: ClientOptions): LangwireClient {
  return new LangwireClient(options);
}
