/**
 * Notices that a graph stopped to ask somebody: `interrupt()`, `humanInTheLoopMiddleware`, tools
 * without a function, static breakpoints. LangGraph then returns as if all were well.
 */
export class Interrupts {
  /** An interrupt passed through a span. Whether it was answered inside of the run is not known. */
  raised = false;
  /** There was no checkpointer to keep one: LangGraph threw, and a tool's caller may have been told. */
  refused = false;

  /** What was asked, by the interrupt's id: one passes through every span around it. */
  readonly #asked = new Set<unknown>();

  /**
   * Whether a span ends by what is no failure: LangGraph throws to stop a graph, and to leave one.
   * @param ask is given what an interrupt asks, once for each
   */
  stops(thrown: unknown, ask: (question: unknown) => void): boolean {
    if (typeof thrown !== "object" || thrown === null) return false;
    try {
      if (Reflect.get(thrown, "is_bubble_up") !== true) return false;
      if ("interrupts" in thrown) {
        this.raised = true;
        for (const { id, value } of interruptsIn(thrown.interrupts)) {
          if (this.#asked.has(id ?? value)) continue;
          this.#asked.add(id ?? value);
          ask(value);
        }
      }
      return true;
    } catch {
      // A proxy that was revoked.
      return false;
    }
  }

  /** @param value what the bot's runnable returned; @param text the answer in it */
  leftOpen(value: unknown, text: string | undefined): boolean {
    if (this.refused || isInterruptedState(value)) return true;
    return this.raised && (text === undefined || text === "");
  }
}

function isInterruptedState(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "__interrupt__" in value &&
    Array.isArray(value.__interrupt__)
  );
}

function interruptsIn(list: unknown): { id?: unknown; value?: unknown }[] {
  return Array.isArray(list) ? list.filter((it) => typeof it === "object" && it !== null) : [];
}
