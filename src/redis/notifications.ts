/**
 * The one subscribed connection of a process. Notifications make things faster and are never needed:
 * a message may be lost, and after every reconnect some were. In a cluster it goes to any one server:
 * each hands on to all others what is published there.
 */
import type { OneServer } from "./connection.ts";
import { RedisLink, type RedisLinkOptions } from "./redis-link.ts";

export type OnNotification = (message: string) => void;

export type NotificationsOptions = Omit<RedisLinkOptions<OneServer>, "onConnect">;

/** What a new connection subscribes to again. */
class Subscriptions {
  /** One listener a channel. */
  readonly listeners = new Map<string, OnNotification>();
  readonly onInterruption = new Set<() => void>();
  interruptions = 0;

  /** The same function for all channels: the client unsubscribes by it. */
  readonly receive = (message: string, channel: string): void => {
    this.listeners.get(channel)?.(message);
  };

  async restore({ client }: OneServer): Promise<void> {
    const channels = [...this.listeners.keys()];
    if (channels.length === 0) return;
    await client.subscribe(channels, this.receive);
    this.interruptions += 1;
    for (const listener of this.onInterruption) listener();
  }
}

export class Notifications implements AsyncDisposable {
  readonly #subscriptions: Subscriptions;
  readonly #link: RedisLink<OneServer>;

  private constructor(link: RedisLink<OneServer>, subscriptions: Subscriptions) {
    this.#subscriptions = subscriptions;
    this.#link = link;
  }

  /** @throws LangwireError STORE_UNAVAILABLE when Redis cannot be reached in time */
  static async open(options: NotificationsOptions): Promise<Notifications> {
    const subscriptions = new Subscriptions();
    const onConnect = (server: OneServer) => subscriptions.restore(server);
    const link = await RedisLink.open({ ...options, onConnect });
    return new Notifications(link, subscriptions);
  }

  /** How often it was subscribed again after a time in which messages may have been lost. */
  get interruptions(): number {
    return this.#subscriptions.interruptions;
  }

  /** Calls back after each interruption, once everything is subscribed again. @returns ends it */
  onInterruption(listener: () => void): () => void {
    this.#subscriptions.onInterruption.add(listener);
    return () => this.#subscriptions.onInterruption.delete(listener);
  }

  get ready(): boolean {
    return this.#link.ready;
  }

  /**
   * Settles when Redis has acknowledged: what is published from then on is received.
   * @throws LangwireError STORE_UNAVAILABLE, or the connection's error; nothing is subscribed then
   */
  async subscribe(channel: string, onNotification: OnNotification): Promise<void> {
    const { client } = this.#link.connection;
    const { listeners, receive } = this.#subscriptions;
    listeners.set(channel, onNotification);
    try {
      await client.subscribe(channel, receive);
    } catch (cause) {
      if (listeners.get(channel) === onNotification) listeners.delete(channel);
      throw cause;
    }
  }

  async unsubscribe(channel: string): Promise<void> {
    const { listeners, receive } = this.#subscriptions;
    listeners.delete(channel);
    if (!this.#link.ready) return;
    // A channel that stays subscribed costs traffic for messages that nobody wants.
    await this.#link.connection.client.unsubscribe(channel, receive).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}
