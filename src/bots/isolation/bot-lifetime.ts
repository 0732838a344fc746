/** Closes what a bot opened for one run, and calls its `onEnd`: once, however the run ended. */
import { within } from "../../time/within.ts";
import type { Bot, BotContext, BotRunnable } from "../bot.ts";

/** How long `onEnd` waits for a factory that has not settled when its run ends. */
const factoryGraceMs = 2_000;

export interface BotLifetimeOptions {
  readonly bot: Bot;
  readonly context: BotContext;
  /** Called for what the bot's own clean-up throws. */
  readonly onFailure: ((what: string, cause: unknown) => void) | undefined;
}

export class BotLifetime {
  readonly #options: BotLifetimeOptions;
  #made: Promise<BotRunnable> | undefined;

  constructor(options: BotLifetimeOptions) {
    this.#options = options;
  }

  /** Makes the bot's runnable. One that a factory made is disposed of when the run is over. */
  make(): Promise<BotRunnable> {
    const { bot, context } = this.#options;
    this.#made = (async () => bot.makeRunnable(context))();
    return this.#made;
  }

  /** To be called once, when the run is over. Never rejects. @returns settles when all is closed */
  async end(): Promise<void> {
    const { bot, context } = this.#options;
    const disposed = this.#dispose();
    if (bot.onEnd !== undefined) {
      const factory = this.#made?.catch(() => {});
      if (factory !== undefined) await within(factory, factoryGraceMs);
      await this.#guarded("a bot's onEnd failed", async () => bot.onEnd?.(context));
    }
    await disposed;
  }

  /** Disposes of what the factory made, also where it settles only after the run. */
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
