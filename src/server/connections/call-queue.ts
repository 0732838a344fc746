/**
 * The calls of one socket, worked off in turn. A query begins once what was written before was taken,
 * and the next call once its own answer was: a socket that reads nothing is owed one answer, however
 * many it asks for. Mutations and subscriptions are begun in order and not waited for.
 */
import { LangwireError } from "../../protocol/errors.ts";
import type { Identity } from "../access/callers.ts";
import type { WorkQueue } from "../pacing/work-queue.ts";
import type { SocketConnection } from "./socket-connection.ts";

export interface QueuedCall {
  readonly method: "query" | "mutation" | "subscription";
  /** Of the frame that it came in. */
  readonly bytes: number;
  /** Never rejects. @returns the bytes that it has answered */
  readonly run: () => Promise<number>;
}

export interface CallQueueOptions {
  readonly connection: SocketConnection;
  readonly work: WorkQueue;
  /** Rejects when nobody can be named: then every call answers that for itself. */
  readonly caller: Promise<Identity>;
}

/** What may wait before nothing more is read from the socket. */
const maxWaitingCalls = 128;
const maxWaitingBytes = 64 * 1024;
/** Mutations that are under way before the next call begins. */
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
    // What a client has sent is done though it left at once; not by the thousand, though.
    const bounded = connection.closing;
    try {
      if (call.method === "query") await this.#answer(call, userId);
      else {
        await work.pace(userId, { bounded });
        await this.#begin(call);
      }
    } catch (cause) {
      if (!(cause instanceof LangwireError)) throw cause;
    }
  }

  async #answer({ run }: QueuedCall, userId: string): Promise<void> {
    const { connection, work } = this.#options;
    await connection.pacer.ready();
    const turn = await work.enter(userId, connection, { bounded: false });
    try {
      // Nobody is there to be answered.
      if (connection.closing) return;
      work.charge(userId, await run());
      await connection.pacer.ready();
    } finally {
      turn.leave();
    }
  }

  async #begin({ method, run }: QueuedCall): Promise<void> {
    const running = run();
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
