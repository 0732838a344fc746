/**
 * The process's end: on a signal, or when it is told to.
 *
 *   running ── signal ──▶ closing ── another signal ──▶ hurrying ── another ──▶ exit 1
 *
 * One wish to stop often arrives twice: npm passes on a signal that the terminal has sent to the whole
 * group already, and so do `timeout` and supervisors. Those come within milliseconds; a person who
 * presses Ctrl-C again is slower. So what comes right behind a signal says nothing new.
 */
import type { FastifyBaseLogger } from "fastify";

export interface ShutdownOptions {
  readonly logger: Pick<FastifyBaseLogger, "debug" | "info" | "warn" | "error">;
  /** What closing waits for: runs in progress. */
  readonly underWay: () => number;
  /** How long it waits for them. */
  readonly graceMs: number;
  /** Closes everything. @returns what the process exits with; 1 where this rejects */
  readonly close: () => Promise<number>;
  /** Called while it closes, for what it waits for to end now. */
  readonly hurry: () => void;
  /** When it takes longer than this, the process exits with 1. */
  readonly timeoutMs: number;
}

const signals = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const;
/** What passes a signal on may wait for a busy machine to let it run. */
const sameWishMs = 200;

export class Shutdown {
  readonly #options: ShutdownOptions;
  #state: "running" | "closing" | "hurrying" = "running";
  /** Whether a signal has been heeded so lately that another is the same wish. */
  #hasJustHeeded = false;

  constructor(options: ShutdownOptions) {
    this.#options = options;
  }

  listen(): void {
    for (const signal of signals) process.on(signal, () => this.#signalled(signal));
  }

  /** Begins it, if it has not begun. */
  begin(): void {
    if (this.#state !== "running") return;
    this.#state = "closing";
    void this.#close();
  }

  /** What has started the process has ended, which might have passed a signal on: as one, if it has not begun. */
  orphaned(): void {
    if (this.#state === "running") this.#signalled("none: the npm that started it has ended");
  }

  #signalled(signal: string): void {
    const { logger, hurry } = this.#options;
    if (this.#hasJustHeeded) {
      logger.debug({ signal }, "a signal that repeats the one before");
      return;
    }
    this.#hasJustHeeded = true;
    // Where the thread was busy, what came meanwhile is heard between a timer and what is immediate.
    setTimeout(() => setImmediate(() => (this.#hasJustHeeded = false)), sameWishMs);
    switch (this.#state) {
      case "running":
        logger.info({ signal }, this.#waitingFor());
        this.begin();
        break;
      case "closing":
        logger.warn({ signal }, "a second signal: runs in progress end now");
        this.#state = "hurrying";
        hurry();
        break;
      case "hurrying":
        logger.error({ signal }, "a third signal: exiting at once");
        process.exit(1);
    }
  }

  #waitingFor(): string {
    const { underWay, graceMs } = this.#options;
    const runs = underWay();
    if (runs === 0) return "closing: no run is under way";
    const which = runs === 1 ? "1 run that is under way" : `${runs} runs that are under way`;
    return `closing: up to ${graceMs / 1_000} s for ${which}; a second signal ends them at once`;
  }

  async #close(): Promise<void> {
    const { logger, close, timeoutMs } = this.#options;
    setTimeout(() => {
      logger.error({ timeoutMs }, "closing took too long");
      process.exit(1);
    }, timeoutMs).unref();
    try {
      const exitCode = await close();
      logger.info("closed");
      process.exit(exitCode);
    } catch (cause) {
      logger.error({ err: cause }, "could not close in order");
      process.exit(1);
    }
  }
}
