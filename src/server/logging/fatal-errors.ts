/** Errors of the server's own code that nobody caught: it closes, and exits with 1. */
import type { FastifyBaseLogger } from "fastify";
import { botAtWork } from "../../bots/isolation/bot-at-work.ts";

const events = ["uncaughtException", "unhandledRejection"] as const;

export class FatalErrors {
  readonly #logger: Pick<FastifyBaseLogger, "error" | "fatal">;
  #seen = false;

  constructor(logger: Pick<FastifyBaseLogger, "error" | "fatal">) {
    this.#logger = logger;
  }

  get seen(): boolean {
    return this.#seen;
  }

  /** @param close begins to close the server; a second error does not wait for that */
  listen(close: () => void): void {
    for (const event of events) process.on(event, (error) => this.#caught(error, close));
  }

  /** In place of `listen`, where somebody is at the code: it is told, and the server goes on. */
  tell(): void {
    const told = "an error that nobody caught; in production it would end the server";
    for (const event of events) {
      process.on(event, (error) => {
        if (botAtWork() === undefined) this.#logger.error({ err: error }, told);
      });
    }
  }

  #caught(error: unknown, close: () => void): void {
    // An error out of a bot's code is contained elsewhere, and not fatal.
    if (botAtWork() !== undefined) return;
    this.#logger.fatal({ err: error }, "an error that nobody caught");
    if (this.seen) process.exit(1);
    this.#seen = true;
    close();
  }
}
