/**
 * A concurrency limit of one user's mutations and of the beginnings of their subscriptions: these ask the
 * store, whose connections are few, and would keep everybody else's from it. Calls past it wait in order.
 */

const maxAtOnce = 4;
/** What takes longer waits for something else, such as a run's end, and lets the next one begin. */
const maxHeldMs = 1_000;

export class StartSlots {
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  get isIdle(): boolean {
    return this.#taken === 0;
  }

  /** @returns releases the slot; a second call does nothing */
  async take(): Promise<() => void> {
    if (this.#taken < maxAtOnce) this.#taken += 1;
    // Whoever releases a slot hands it on.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const release = () => {
      clearTimeout(timer);
      if (held) this.#handOn();
      held = false;
    };
    let held = true;
    const timer = setTimeout(release, maxHeldMs).unref();
    return release;
  }

  #handOn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
