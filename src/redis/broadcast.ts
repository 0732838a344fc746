/**
 * Messages of one process to all processes, its own too: a short stream in Redis, and a notification
 * for each message. A notification that is lost makes a message late, until the next `receive`; a
 * message that Redis does not take is kept until it does.
 */
import { setTimeout as delay } from "node:timers/promises";
import { within } from "../time/within.ts";
import type { Redis } from "./redis.ts";
import { Script } from "./script.ts";
import { readNewest, readStream } from "./stream.ts";

export interface BroadcastOptions {
  readonly redis: Redis;
  /** Comes after the prefix in the stream's key: those who share it receive each other's messages. */
  readonly name: string;
  readonly onMessage: (message: string) => void;
}

const keptMessages = 10_000;
const keptMs = 60 * 60_000;
const retryDelayMs = 250;
/** How long a process that leaves waits for its last messages to be taken. */
const lastMessagesMs = 1_000;
/** Beyond it the oldest is dropped. */
const maxUnsent = 10_000;

/** ARGV: messages kept, time kept, channel, message. */
const publishScript = new Script<number>(`
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'n', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('PUBLISH', ARGV[3], '')
`);

export class Broadcast implements AsyncDisposable {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #channel: string;
  readonly #onMessage: (message: string) => void;
  readonly #unsent: string[] = [];
  readonly #closing = new AbortController();
  /** The id of the last message received: `0-0` before the first. */
  #last: string;
  #sending: Promise<void> | undefined;
  #receiving: Promise<void> | undefined;
  /** Whether there may be more than the last read found. */
  #mayHaveMore = false;

  private constructor({ redis, onMessage }: BroadcastOptions, key: string, last: string) {
    this.#redis = redis;
    this.#key = key;
    // The name stays as it is: nodes of several versions notify each other.
    this.#channel = `${key}:bell`;
    this.#onMessage = onMessage;
    this.#last = last;
  }

  /** Receives what is published from now on. @throws the connection's error */
  static async open(options: BroadcastOptions): Promise<Broadcast> {
    const { redis, name } = options;
    const key = `${redis.prefix}:${name}`;
    const [newest] = await readNewest(redis.link, key, 1);
    const broadcast = new Broadcast(options, key, newest?.[0] ?? beginning);
    await redis.notifications.subscribe(broadcast.#channel, () => void broadcast.receive());
    return broadcast;
  }

  /** Returns at once; the message is sent as soon as Redis takes it. */
  publish(message: string): void {
    this.#unsent.push(message);
    if (this.#unsent.length > maxUnsent) this.#unsent.shift();
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Reads what has come: after each notification, and whenever one may have been lost. */
  receive(): Promise<void> {
    this.#mayHaveMore = true;
    this.#receiving ??= this.#receiveAll().catch(() => {});
    return this.#receiving;
  }

  /** Removes messages that are still kept. @throws the connection's error */
  async remove(matches: (message: string) => boolean): Promise<void> {
    const { link } = this.#redis;
    const messages = await readStream(link, { key: this.#key, from: "-" });
    const ids = messages.filter(([, [, message]]) => matches(message)).map(([id]) => id);
    if (ids.length > 0) await link.send(this.#key, ["XDEL", this.#key, ...ids]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#redis.link.ready) await within(Promise.resolve(this.#sending), lastMessagesMs);
    this.#closing.abort();
    const closed = [this.#redis.notifications.unsubscribe(this.#channel), this.#receiving];
    // A Redis that stands still answers none of them, until its connection is ended.
    await within(Promise.all(closed), lastMessagesMs);
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#closing;
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      try {
        const args = [keptMessages, keptMs, this.#channel, next];
        await publishScript.run(this.#redis.link, [this.#key], args);
        if (this.#unsent[0] === next) this.#unsent.shift();
      } catch {
        await delay(retryDelayMs, undefined, { ref: false, signal }).catch(() => {});
        if (signal.aborted) return;
      }
    }
  }

  async #receiveAll(): Promise<void> {
    try {
      while (this.#mayHaveMore) await this.#receiveSome();
    } finally {
      // In the moment in which it ends: what is asked for after it begins anew.
      this.#receiving = undefined;
    }
  }

  async #receiveSome(): Promise<void> {
    const { link } = this.#redis;
    this.#mayHaveMore = false;
    const messages = await readStream(link, { key: this.#key, from: `(${this.#last}` });
    for (const [id, [, message]] of messages) {
      this.#last = id;
      this.#onMessage(message);
    }
    if (messages.length > 0) return;
    const [newest] = await readNewest(link, this.#key, 1);
    // Another stream under the same name: Redis has lost this one, and its clock may be behind.
    if (isBefore(newest?.[0] ?? beginning, this.#last)) {
      this.#last = beginning;
      this.#mayHaveMore = newest !== undefined;
    }
  }
}

/** Before every message's id. */
const beginning = "0-0";

/** Ids are `<milliseconds>-<number>`. */
function isBefore(id: string, other: string): boolean {
  const [ms = 0, number = 0] = id.split("-").map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split("-").map(Number);
  return ms < otherMs || (ms === otherMs && number < otherNumber);
}
