/** One run, as its sender follows it. */
import { Answer } from "./answer.ts";
import type { Connection } from "./connection.ts";
import { LangwireClientError } from "./errors.ts";
import { EventBuffer } from "./event-buffer.ts";
import { Subscription } from "./subscription.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, ChatEvent, EventOf, RunStatus, SendInput } from "./types.ts";
import { uuid } from "./uuid.ts";

export interface RunOptions extends CallOptions {
  readonly transport: Transport;
  readonly connection: Connection;
  readonly input: SendInput;
  /** The client's own. */
  readonly cancel: (runId: string) => Promise<RunStatus>;
}

/**
 * A message on its way to its answer. Each iteration yields every event that this client received,
 * from the first one on, and ends after `runEnd`. It throws when the run was refused or the client
 * stopped following it; a run that failed says so in its `runEnd` and throws nothing.
 */
export class Run implements AsyncIterable<ChatEvent> {
  readonly id: string;
  readonly conversationId: string;
  readonly botId: string;
  readonly message: string;
  /**
   * The whole answer. Of a cancelled run it is what there was of it: `ended` tells the two apart.
   * Rejects with a LangwireClientError when the run failed or was refused.
   */
  readonly text: Promise<string>;
  /** The run's ending, failed ones included. Rejects when the run was refused. */
  readonly ended: Promise<EventOf<"runEnd">>;

  readonly #cancel: RunOptions["cancel"];
  readonly #events = new EventBuffer();
  readonly #answer = new Answer();
  readonly #started = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<EventOf<"runEnd">>();
  readonly #subscription: Subscription;

  constructor(options: RunOptions) {
    const { input, cancel, transport } = options;
    const { runId = uuid(), conversationId = uuid(), lastEventId, ...rest } = input;
    this.id = runId;
    this.conversationId = conversationId;
    this.botId = input.botId;
    this.message = input.message;
    this.#cancel = cancel;
    this.ended = this.#end.promise;
    this.text = this.ended.then(textOf);
    // Whoever is not interested in the outcome need not handle it.
    for (const promise of [this.ended, this.text, this.#started.promise]) promise.catch(() => {});
    const send = { ...rest, runId, conversationId };
    this.#subscription = new Subscription({
      ...options,
      lastEventId,
      subscribe: (after, callbacks) =>
        transport.trpc.chat.send.subscribe({ ...send, lastEventId: after }, callbacks),
      onStarted: this.#started.resolve,
      onEvent: (event) => this.#add(event),
      onFailure: (error) => this.#fail(error),
    });
  }

  /** The answer so far, without what a retry or a fallback made void. */
  get answer(): string {
    return this.#answer.text;
  }

  /** The number of the last event that came; as `lastEventId` in `send`, it resumes behind it. */
  get lastEventId(): string | undefined {
    return this.#subscription.lastEventId;
  }

  [Symbol.asyncIterator](): AsyncGenerator<ChatEvent, undefined> {
    return this.#events[Symbol.asyncIterator]();
  }

  /**
   * Stops the run itself, for everybody.
   * @returns how it ended: `completed` when the answer was faster
   */
  async cancel(): Promise<RunStatus> {
    await this.#started.promise;
    return await Promise.race([this.#cancel(this.id), this.ended.then(({ status }) => status)]);
  }

  /** Stops following. The run goes on, and sending again with its id attaches to it. */
  detach(): void {
    this.#subscription.detach();
  }

  /** What `send` needs to attach to this run again, after a page was loaded anew for instance. */
  toJSON(): SendInput & { runId: string; conversationId: string } {
    const { id, conversationId, botId, message } = this;
    return { runId: id, conversationId, botId, message };
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

function textOf({ status, text, error }: EventOf<"runEnd">): string {
  if (status !== "failed") return text;
  throw new LangwireClientError({
    ...(error ?? { code: "INTERNAL", message: "The run failed." }),
    partialText: text,
  });
}
