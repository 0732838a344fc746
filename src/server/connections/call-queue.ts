/**
 * The calls of one socket, in order. A query begins when the socket has taken what was written before,
 * and the next call when it has taken the query's answer: for a socket that reads nothing the server
 * holds one answer, however many queries it sends. Mutations and subscriptions begin in order, and
 * nothing waits for their ends.
 */
import { LangwireError } from "../../protocol/errors.ts";
import type { Identity } from "../access/callers.ts";
import type { WorkQueue } from "../pacing/work-queue.ts";
import type { SocketConnection } from "./socket-connection.ts";

export interface QueuedCall {
  readonly method: "query" | "mutation" | "subscription";
  /** The call's share of its frame. */
  readonly bytes: number;
  /**
   * Never rejects.
   * @param asked to be called when it has asked the store: a mutation at its end, a subscription once it begins
   * @returns the bytes of its answer
   */
  readonly run: (asked?: () => void) => Promise<number>;
}

export interface CallQueueOptions {
  readonly connection: SocketConnection;
  readonly work: WorkQueue;
  /** Rejects when the caller cannot be authenticated: then each call is answered with that error. */
  readonly caller: Promise<Identity>;
}

/** Limits of the queue; while it is past one, nothing is read from the socket. */
const maxWaitingCalls = 128;
const maxWaitingBytes = 64 * 1024;
/** Concurrency limit of one socket's mutations; past it, the next call waits. */
const maxMutations = 16;

export class CallQueue {
  readonly #options: CallQueueOptions;
  readonly #calls: QueuedCall[] = [];
  readonly #mutations = new Set<Promise<unknown>>();
  #bytes = 0;
  #working = false;
  #readOn: (() => void) | undefined;

  constructor(options: CallQueueOptions) {
    this.#options = options;
  }

  add(call: QueuedCall): void {
    this.#calls.push(call);
    this.#bytes += call.bytes;
    if (this.#calls.length >= maxWaitingCalls || this.#bytes > maxWaitingBytes) {
      this.#readOn ??= this.#options.connection.holdReading();
    }
    if (!this.#working) void this.#workOff();
  }

  async #workOff(): Promise<void> {
    this.#working = true;
    const identity = await this.#options.caller.catch(() => undefined);
    for (let call = this.#shift(); call !== undefined; call = this.#shift()) {
      if (identity === undefined) await call.run();
      else await this.#work(call, identity.userId);
    }
    this.#working = false;
  }

  async #work(call: QueuedCall, userId: string): Promise<void> {
    const { connection, work } = this.#options;
    // Calls of a client that has left are still done, but not those that would have to wait long.
    const bounded = connection.closing;
    try {
      if (call.method === "query") await this.#answer(call, userId);
      else {
        await work.pace(userId, { bounded });
        await this.#begin(call, await work.start(userId));
      }
    } catch (cause) {
      if (!(cause instanceof LangwireError)) throw cause;
    }
  }

  async #answer({ run }: QueuedCall, userId: string): Promise<void> {
    const { connection, work } = this.#options;
    await connection.pacer.ready();
    const slot = await work.enter(userId, connection, { bounded: false });
    try {
      // A query whose caller has left would be answered to nobody.
      if (connection.closing) return;
      work.charge(userId, await run());
      await connection.pacer.ready();
    } finally {
      slot.release();
    }
  }

  async #begin({ method, run }: QueuedCall, asked: () => void): Promise<void> {
    const running = run(asked);
    if (method === "subscription") return;
    const mutation = running.finally(() => this.#mutations.delete(mutation));
    this.#mutations.add(mutation);
    if (this.#mutations.size >= maxMutations) await Promise.race(this.#mutations);
  }

  #shift(): QueuedCall | undefined {
    const call = this.#calls.shift();
    this.#bytes -= call?.bytes ?? 0;
    if (this.#calls.length < maxWaitingCalls && this.#bytes <= maxWaitingBytes) {
      this.#readOn?.();
      this.#readOn = undefined;
    }
    return call;
  }
}
