/** The client's handle of one run that it follows. */
import { AnswerFold } from "../generated/fold/answer-fold.js";
import type { AnyRun, RunTypes } from "./bot-types.ts";
import type { Connection } from "./connection/connection.ts";
import type { Transport } from "./connection/transport.ts";
import { deferred } from "./deferred.ts";
import { LangwireClientError } from "./errors.ts";
import { EventBuffer } from "./event-buffer.ts";
import { Subscription, type SubscriptionOptions } from "./subscription.ts";
import { thrownIn } from "./thrown.ts";
import type {
  CallOptions,
  ChatEvent,
  EventOf,
  FollowInput,
  Json,
  RunStatus,
  SendInput,
} from "./types.ts";
import { uuid } from "./uuid.ts";

interface RunOptions<Input> extends CallOptions {
  readonly transport: Transport;
  readonly connection: Connection;
  readonly input: Input;
  /** The client's own. */
  readonly cancel: (runId: string) => Promise<RunStatus>;
}

/**
 * A run that this client follows, sent by it or by another. Each iteration yields every event that the
 * client received, from the first one on, and ends after `runEnd`, or after a `detach`. It throws when the
 * run may not be read, its signal was aborted (CLOSED, whose cause is the signal's reason) or the client
 * was closed; a run that failed says so in its `runEnd` and throws nothing.
 */
export class FollowedRun<T extends RunTypes = AnyRun> implements AsyncIterable<T["event"]> {
  readonly id: string;
  /**
   * The whole answer. Of a cancelled run it is what there was of it: `ended` tells the two apart.
   * Rejects with a LangwireClientError when the run failed or was refused.
   */
  readonly text: Promise<string>;
  /**
   * What a typed bot answers. Undefined of a cancelled run, and of a bot that answers a text alone.
   * Rejects with a LangwireClientError when the run failed or was refused.
   */
  readonly output: Promise<T["output"] | undefined>;
  /** The run's ending, failed ones included. Rejects when the run was refused. */
  readonly ended: Promise<T["end"]>;

  readonly #cancel: RunOptions<unknown>["cancel"];
  readonly #events = new EventBuffer();
  readonly #answer = new AnswerFold();
  readonly #started = deferred<void>();
  readonly #end = deferred<EventOf<"runEnd">>();
  readonly #subscription: Subscription;
  #startEventId: string | undefined;

  constructor(
    options: RunOptions<FollowInput>,
    subscribe: SubscriptionOptions["subscribe"] = (lastEventId, callbacks) =>
      options.transport.trpc.chat.follow.subscribe({ ...options.input, lastEventId }, callbacks),
  ) {
    const { runId, lastEventId } = options.input;
    this.id = runId;
    this.#cancel = options.cancel;
    const ended = this.#end.promise.then(unlessFailed);
    this.text = ended.then(({ text }) => text);
    // Of which type they are the server has checked.
    this.output = ended.then(({ output }) => output as T["output"] | undefined);
    this.ended = this.#end.promise as Promise<unknown> as Promise<T["end"]>;
    // Handled here, so that an application may ignore the outcome.
    for (const promise of [this.ended, this.text, this.output, this.#started.promise]) {
      promise.catch(() => {});
    }
    this.#subscription = new Subscription({
      ...options,
      lastEventId,
      subscribe,
      onStarted: this.#started.resolve,
      onEvent: (event, id) => {
        if (event.type === "runStart") this.#startEventId ??= id;
        this.#add(event);
      },
      onFailure: (error) => this.#fail(error),
    });
  }

  /** The answer so far, without what a retry or a fallback made void. */
  get answer(): string {
    return this.#answer.text;
  }

  /** The number of the last event that came, or where the run began; as `lastEventId`, it resumes behind it. */
  get lastEventId(): string | undefined {
    return this.#subscription.lastEventId;
  }

  /** The number of `runStart`, once that came: the run's place among its conversation's. */
  get startEventId(): string | undefined {
    return this.#startEventId;
  }

  [Symbol.asyncIterator](): AsyncGenerator<T["event"], undefined> {
    const events: AsyncGenerator<unknown, undefined> = this.#events[Symbol.asyncIterator]();
    return events as AsyncGenerator<T["event"], undefined>;
  }

  /**
   * Stops the run itself, for everybody.
   * @returns how it ended: `completed` when the answer was faster
   */
  async cancel(): Promise<RunStatus> {
    await this.#started.promise;
    return await Promise.race([
      this.#cancel(this.id),
      this.#end.promise.then(({ status }) => status),
    ]);
  }

  /**
   * Stops following: iterations end, `text`, `output` and `ended` reject with CLOSED. The run goes on, and
   * can be followed again.
   */
  detach(): void {
    this.#events.end();
    this.#subscription.detach();
  }

  #add(event: ChatEvent): void {
    this.#answer.add(event);
    this.#events.push(event);
    if (event.type !== "runEnd") return;
    this.#subscription.stop();
    this.#events.end();
    this.#end.resolve(event);
  }

  #fail(reason: LangwireClientError): void {
    const { message, cause } = reason;
    const partialText = this.#answer.text;
    const error = new LangwireClientError({ ...reason, message, cause, partialText });
    this.#events.end(error);
    this.#end.reject(error);
    this.#started.reject(error);
  }
}

/** The client's handle of a run that it sent, and follows. */
export class Run<T extends RunTypes = AnyRun> extends FollowedRun<T> {
  readonly conversationId: string;
  readonly botId: string;
  /** What it was sent: a message, or to a typed bot an input. */
  readonly message: string | undefined;
  readonly input: Json | undefined;

  constructor(options: RunOptions<SendInput>) {
    const { runId = uuid(), conversationId = uuid(), ...rest } = options.input;
    const input = { ...rest, runId, conversationId };
    super({ ...options, input }, (lastEventId, callbacks) =>
      options.transport.trpc.chat.send.subscribe({ ...input, lastEventId }, callbacks),
    );
    this.conversationId = conversationId;
    this.botId = input.botId;
    this.message = input.message;
    this.input = input.input;
  }

  /**
   * What `send` needs to send the same again: where it has arrived, that only follows the run; where
   * it has not, it starts it.
   */
  toJSON(): T["sent"] & { runId: string; conversationId: string } {
    const { id: runId, conversationId, botId, message, input } = this;
    const sent: object = { runId, conversationId, botId, message, input };
    return sent as T["sent"] & { runId: string; conversationId: string };
  }
}

function unlessFailed(end: EventOf<"runEnd">): EventOf<"runEnd"> {
  const { runId, status, text, error } = end;
  if (status !== "failed") return end;
  throw new LangwireClientError({
    ...(error ?? { code: "INTERNAL", message: "The run failed." }),
    partialText: text,
    cause: thrownIn(runId),
  });
}
