/** The events of one run as they come, for any number of iterations, each from the first one on. */
import { joined } from "../generated/fold/text-pieces.js";
import { Notifier } from "./notifier.ts";
import type { ChatEvent } from "./types.ts";

export class EventBuffer {
  /** The server bounds a run's events, so this is bounded as well. */
  readonly #events: ChatEvent[] = [];
  #ending: { readonly error?: Error } | undefined;
  readonly #changed = new Notifier();

  push(event: ChatEvent): void {
    this.#events.push(event);
    this.#changed.notify();
  }

  /** @param error what iterations throw after the last event */
  end(error?: Error): void {
    this.#ending ??= error === undefined ? {} : { error };
    this.#changed.notify();
  }

  /** An iteration that lags behind gets neighbouring pieces of one text as one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ChatEvent, undefined> {
    for (let position = 0; ; ) {
      let event = this.#events[position];
      if (event !== undefined) {
        position++;
        for (let both = joined(event, this.#events[position]); both !== undefined; ) {
          event = both;
          both = joined(event, this.#events[++position]);
        }
        yield event;
      } else if (this.#ending !== undefined) {
        if (this.#ending.error !== undefined) throw this.#ending.error;
        return;
      } else {
        await this.#changed.next();
      }
    }
  }
}
