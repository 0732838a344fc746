/**
 * The conversations that somebody in this process follows: each has one mirror, from its first reader
 * to its last. Notifications wake them; one that is lost is made up for by the next check.
 */
import type { Redis } from "../../redis/redis.ts";
import { retryFor } from "../../redis/retry.ts";
import { Mirror } from "./mirror.ts";
import { keysOf } from "./run-scripts.ts";

export interface MirrorTimes {
  /** A conversation without news is read again after as long: how late a lost notification makes it. */
  readonly checkMs: number;
  /** How long a first reader waits for Redis. */
  readonly timeoutMs: number;
}

/** Timer ticks in `checkMs`: each conversation is due at a moment of its own, met within one tick. */
const checkSteps = 8;

interface Followed {
  readonly mirror: Mirror;
  readonly ready: Promise<void>;
}

export class Mirrors implements Disposable {
  readonly #redis: Redis;
  readonly #times: MirrorTimes;
  readonly #followed = new Map<string, Followed>();
  readonly #checks: NodeJS.Timeout;
  readonly #stopListening: () => void;

  constructor(redis: Redis, times: MirrorTimes) {
    this.#redis = redis;
    this.#times = times;
    const { checkMs } = times;
    this.#stopListening = redis.notifications.onInterruption(() => this.check(0));
    const stepMs = checkMs / checkSteps;
    this.#checks = setInterval(() => this.check(checkMs - stepMs), stepMs).unref();
  }

  /** Undefined while nobody in this process follows the conversation. */
  get(conversationId: string): Mirror | undefined {
    return this.#followed.get(conversationId)?.mirror;
  }

  /**
   * Calls back for each change from the moment on in which this settles.
   * @returns ends it
   * @throws LangwireError STORE_UNAVAILABLE when Redis does not answer in time
   */
  async follow(conversationId: string, onChange: () => void): Promise<() => void> {
    let followed = this.#followed.get(conversationId);
    if (followed === undefined) {
      followed = this.#begin(conversationId);
      this.#followed.set(conversationId, followed);
    }
    const { mirror, ready } = followed;
    mirror.listeners.add(onChange);
    const leave = () => {
      mirror.listeners.delete(onChange);
      if (mirror.listeners.size > 0 || this.get(conversationId) !== mirror) return;
      this.#followed.delete(conversationId);
      const { notifications, prefix } = this.#redis;
      void notifications.unsubscribe(keysOf(prefix, conversationId).channel);
    };
    try {
      await ready;
    } catch (cause) {
      leave();
      throw cause;
    }
    return leave;
  }

  /** Has those read that were not fresh a moment ago. */
  check(olderThanMs: number): void {
    for (const { mirror } of this.#followed.values()) mirror.check(olderThanMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#checks);
    this.#stopListening();
  }

  #begin(conversationId: string): Followed {
    const { link, notifications, prefix } = this.#redis;
    const keys = keysOf(prefix, conversationId);
    const mirror = new Mirror(link, keys);
    const ready = retryFor(this.#times.timeoutMs, async () => {
      await notifications.subscribe(keys.channel, (message) => mirror.receive(message));
      await mirror.load();
    });
    return { mirror, ready };
  }
}
