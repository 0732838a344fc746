/** What a bot opened for one run, and that it hears of the run's end: once, however that came. */
import { setTimeout as delay } from "node:timers/promises";
import type { Bot, BotContext, BotRunnable } from "../bot.ts";

/** A factory that is still at work when its run ends is waited for this long before `onEnd`. */
const factoryGraceMs = 2_000;

export interface BotLifetimeOptions {
  readonly bot: Bot;
  readonly context: BotContext;
  /** Told of what failed in the bot's own cleaning up. */
  readonly onFailure: ((what: string, cause: unknown) => void) | undefined;
}

export class BotLifetime {
  readonly #options: BotLifetimeOptions;
  #made: Promise<BotRunnable> | undefined;

  constructor(options: BotLifetimeOptions) {
    this.#options = options;
  }

  /** The bot's runnable; where a factory makes it, it is disposed of when the run is over. */
  make(): Promise<BotRunnable> {
    const { bot, context } = this.#options;
    this.#made = (async () => bot.makeRunnable(context))();
    return this.#made;
  }

  /** Call it once, when the run is over. It never rejects, and settles when all is closed. */
  async end(): Promise<void> {
    const { bot, context } = this.#options;
    const disposed = this.#dispose();
    const waiting = new AbortController();
    const grace = delay(factoryGraceMs, undefined, { signal: waiting.signal, ref: false });
    await Promise.race([this.#made?.catch(() => {}), grace.catch(() => {})]);
    waiting.abort();
    await this.#guarded("a bot's onEnd failed", async () => bot.onEnd?.(context));
    await disposed;
  }

  /** Waits for a factory that is late: what it makes then is disposed of all the same. */
  async #dispose(): Promise<void> {
    if (!this.#options.bot.makesRunnables) return;
    const made = await this.#made?.catch(() => undefined);
    if (made === undefined) return;
    await this.#guarded("a bot's runnable could not be disposed of", () => dispose(made));
  }

  async #guarded(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      this.#options.onFailure?.(what, cause);
    }
  }
}

async function dispose(made: object): Promise<void> {
  const disposer: unknown =
    Reflect.get(made, Symbol.asyncDispose) ?? Reflect.get(made, Symbol.dispose);
  if (typeof disposer === "function") await disposer.call(made);
}
