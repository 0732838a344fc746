/**
 * The one subscribed connection of a process. What it hears makes things faster and is never needed:
 * a message may be lost, and after every reconnect some were. Of a cluster it is to any server: each
 * hands on to all others what is published there.
 */
import type { OneServer } from "./connection.ts";
import { RedisLink, type RedisLinkOptions } from "./redis-link.ts";

export type OnNotification = (message: string) => void;

export interface NotificationsOptions extends Omit<RedisLinkOptions<OneServer>, "onConnect"> {
  /** Called when it listens again after a time in which it may have heard nothing. */
  readonly onMaybeMissed: () => void;
}

type Hear = (message: string, channel: string) => void;

interface Heard {
  interruptions: number;
}

/** One listener a channel. */
export class Notifications implements AsyncDisposable {
  readonly #channels: Map<string, OnNotification>;
  /** The same for all channels: the client finds by it what is no longer wanted. */
  readonly #hear: Hear;
  readonly #link: RedisLink<OneServer>;
  readonly #heard: Heard;

  private constructor(
    link: RedisLink<OneServer>,
    parts: { channels: Map<string, OnNotification>; hear: Hear; heard: Heard },
  ) {
    this.#channels = parts.channels;
    this.#hear = parts.hear;
    this.#heard = parts.heard;
    this.#link = link;
  }

  /** @throws LangwireError STORE_UNAVAILABLE when Redis cannot be reached in time */
  static async open({ onMaybeMissed, ...options }: NotificationsOptions): Promise<Notifications> {
    const channels = new Map<string, OnNotification>();
    const heard: Heard = { interruptions: 0 };
    const hear: Hear = (message, channel) => channels.get(channel)?.(message);
    const onConnect = async ({ client }: OneServer) => {
      const names = [...channels.keys()];
      if (names.length === 0) return;
      await client.subscribe(names, hear);
      heard.interruptions += 1;
      onMaybeMissed();
    };
    const link = await RedisLink.open({ ...options, onConnect });
    return new Notifications(link, { channels, hear, heard });
  }

  /** How often it began to listen again after a time in which it may have heard nothing. */
  get interruptions(): number {
    return this.#heard.interruptions;
  }

  get ready(): boolean {
    return this.#link.ready;
  }

  /**
   * Settles when Redis has acknowledged: what is rung from then on is heard.
   * @throws LangwireError STORE_UNAVAILABLE, or the connection's error; nothing is subscribed then
   */
  async subscribe(channel: string, onNotification: OnNotification): Promise<void> {
    const { client } = this.#link.connection;
    this.#channels.set(channel, onNotification);
    try {
      await client.subscribe(channel, this.#hear);
    } catch (cause) {
      if (this.#channels.get(channel) === onNotification) this.#channels.delete(channel);
      throw cause;
    }
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#channels.delete(channel);
    if (!this.#link.ready) return;
    // A channel that stays subscribed costs a message that nobody hears.
    await this.#link.connection.client.unsubscribe(channel, this.#hear).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}
