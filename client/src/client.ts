/** The client: what an application holds on to. */
import type {
  AnyBots,
  BotId,
  Bots,
  ChatEventOf,
  MessageOf,
  Resolved,
  RunTypesOf,
  SendInputOf,
  TypesOf,
  TypesOfBot,
} from "./bot-types.ts";
import { checkAddress } from "./connection/address.ts";
import { createBackoff, Delay } from "./connection/backoff.ts";
import { Connection, type ConnectionStatus } from "./connection/connection.ts";
import type { Transport, TransportOptions } from "./connection/transport.ts";
import { openWebSocket } from "./connection/web-socket.ts";
import { deferred } from "./deferred.ts";
import { closedError, isUnheard, toClientError } from "./errors.ts";
import { FollowedRun, Run } from "./run.ts";
import type {
  CallOptions,
  FollowInput,
  Inputs,
  RunStatus,
  SendInput,
  WatchInput,
} from "./types.ts";
import { uuid } from "./uuid.ts";
import { Watch } from "./watch.ts";

export type ClientOptions = TransportOptions;

type CreateInput = Omit<Inputs["conversations"]["create"], "conversationId">;
/** A procedure, called. */
type Call<I, O> = (input: I, options?: CallOptions) => Promise<O>;
/** The same as tRPC's client has it, where no option may be undefined. */
type Procedure<I, O> = (input: I, options?: { readonly signal?: AbortSignal }) => Promise<O>;

/** @typeParam B the server's bots: `typeof bots`, or what `langwire types` has written */
export type LangwireClient<B extends Bots = AnyBots> = Client<ClientTypesOf<B>> & OfBots<B>;

/** There for the compiler alone: from it, hooks and transports infer the bots of the client that they are given. */
export type OfBots<B extends Bots> = AnyBots extends B ? unknown : { readonly "~bots"?: B };

/** What of a client depends on its server's bots. */
interface ClientTypes {
  readonly send: (input: never, options?: CallOptions) => unknown;
  readonly follow: (input: FollowInput, options?: CallOptions) => unknown;
  readonly watch: (input: WatchInput, options?: CallOptions) => unknown;
  readonly messages: Call<Inputs["conversations"]["messages"], unknown>;
}

type ClientTypesOf<B extends Bots> = Resolved<{
  send<Id extends BotId<B>>(
    input: { readonly botId: Id } & SendInputOf<TypesOfBot<B, Id>>,
    options?: CallOptions,
  ): Run<RunTypesOf<TypesOfBot<B, Id>>>;
  send(input: SendInput<B>, options?: CallOptions): Run<RunTypesOf<TypesOf<B>>>;
  follow(input: FollowInput, options?: CallOptions): FollowedRun<RunTypesOf<TypesOf<B>>>;
  watch(input: WatchInput, options?: CallOptions): Watch<ChatEventOf<TypesOf<B>>>;
  messages(
    input: Inputs["conversations"]["messages"],
    options?: CallOptions,
  ): Promise<Resolved<{ items: MessageOf<TypesOf<B>>[]; nextCursor?: string | undefined }>>;
}>;

class Client<Types extends ClientTypes> implements AsyncDisposable {
  readonly conversations;
  readonly bots;
  /**
   * Sends a message to a bot, or a typed bot's input.
   * @param options its signal ends the following, not the run: that is what `run.cancel()` does
   */
  readonly send: Types["send"];
  /**
   * Follows a run that was sent before, by whomever. It never starts one.
   * @param options its signal ends the following, not the run
   * @returns at once; it rejects NOT_FOUND where the run is none of a conversation that the caller is in
   */
  readonly follow: Types["follow"];
  /** Reads along in a conversation, from the start of the run in progress on, or from now. */
  readonly watch: Types["watch"];
  readonly #parts: {
    readonly connection: Connection;
    readonly transport: Transport;
    readonly cancel: (runId: string) => Promise<RunStatus>;
  };

  constructor(options: ClientOptions) {
    const { transport: open = openWebSocket } = options;
    checkAddress(options.url);
    const connection = new Connection(options.backoff);
    const transport = open(options, connection);
    const { conversations, bots } = transport.trpc;
    const { create, list } = conversations;

    const parts = { connection, transport, cancel: (runId: string) => this.cancel(runId) };
    this.#parts = parts;
    // The types of bots are the compiler's alone.
    this.send = (input: unknown, options?: CallOptions) =>
      new Run({ ...parts, ...options, input: input as SendInput });
    this.follow = (input, options) => new FollowedRun({ ...parts, ...options, input });
    this.watch = (input, options) => new Watch({ ...parts, ...options, input });
    const messages: ClientTypes["messages"] = this.#untilAnswered(conversations.messages.query);
    this.conversations = {
      /** Before the first message, where that is wanted: `send` creates a conversation as well. */
      create: (
        {
          conversationId = uuid(),
          ...input
        }: CreateInput & { conversationId?: string | undefined },
        options?: CallOptions,
      ) => this.#once(create.mutate)({ conversationId, ...input }, options),
      list: (input: Inputs["conversations"]["list"] = {}, options?: CallOptions) =>
        this.#untilAnswered(list.query)(input, options),
      get: this.#untilAnswered(conversations.get.query),
      messages: messages as Types["messages"],
      rename: this.#once(conversations.rename.mutate),
      share: this.#once(conversations.share.mutate),
      unshare: this.#once(conversations.unshare.mutate),
      join: this.#once(conversations.join.mutate),
      leave: this.#once(conversations.leave.mutate),
      delete: this.#once(conversations.delete.mutate),
    };
    this.bots = {
      list: (options?: CallOptions) => this.#untilAnswered(bots.list.query)(undefined, options),
    };
  }

  /** Opens when something needs it, and comes back by itself when it is lost. */
  get connection(): ConnectionStatus {
    return this.#parts.connection;
  }

  /**
   * Stops a run for everybody, whether this client follows it or not.
   * @returns how it ended: `completed` when the answer was faster
   * @throws LangwireClientError NOT_FOUND when it is none of a conversation that the caller is in
   */
  async cancel(runId: string, options?: CallOptions): Promise<RunStatus> {
    const { cancel } = this.#parts.transport.trpc.chat;
    return (await this.#untilAnswered(cancel.mutate)({ runId }, options)).status;
  }

  /** Ends every run's following, every watch and every call. The runs themselves go on. */
  async close(): Promise<void> {
    const { connection, transport } = this.#parts;
    connection.change("closed");
    connection.giveUp(closedError());
    await transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What changes nothing, or nothing more the second time, is asked until it is answered. */
  #untilAnswered<I, O>(procedure: Procedure<I, O>): Call<I, O> {
    return this.#once(procedure, true);
  }

  /** What was lost on its way may have been done, or not: the caller decides. */
  #once<I, O>(procedure: Procedure<I, O>, again = false): Call<I, O> {
    const { connection } = this.#parts;
    return async (input, { signal } = {}) => {
      const over = deferred<never>();
      over.promise.catch(() => {});
      let delay: Delay | undefined;
      const wake = () => delay?.shorten(0);
      const release = connection.add({ input, fail: over.reject, wake });
      const abort = () => over.reject(closedError(signal, connection.error));
      signal?.addEventListener("abort", abort);
      try {
        const backoff = createBackoff(connection.backoff);
        let refusedForMs = 0;
        for (let waitMs = 0; ; waitMs = refusedForMs + backoff.next()) {
          if (waitMs > 0) {
            delay = new Delay(waitMs);
            await Promise.race([delay.over, over.promise]);
          }
          if (signal?.aborted) throw closedError(signal, connection.error);
          if (connection.state === "closed") throw closedError();
          connection.givenUp = undefined;
          try {
            return await Promise.race([procedure(input, signal && { signal }), over.promise]);
          } catch (cause) {
            // Why the socket was closed, where that is known, says more than that it was.
            await Promise.race([over.promise, undefined]);
            const error = toClientError(cause);
            if (connection.givenUp !== undefined) throw connection.givenUp;
            if (!isUnheard(error) || !again) throw error;
            refusedForMs = error.retryAfterMs ?? 0;
          }
        }
      } finally {
        // It would keep a program that has no more to do.
        delay?.cancel();
        signal?.removeEventListener("abort", abort);
        release();
      }
    };
  }
}

/**
 * Opens no connection until something is asked for.
 * @throws LangwireClientError BAD_INPUT where `url` is no address, or an option has no effect
 */
export function createClient<B extends Bots = AnyBots>(options: ClientOptions): LangwireClient<B> {
  return new Client<ClientTypesOf<B>>(options) as unknown as LangwireClient<B>;
}
