/**
 * Notices that a graph was interrupted to ask a person: `interrupt()`, `humanInTheLoopMiddleware`, tools
 * without a function, static breakpoints. LangGraph then returns as if it had finished.
 */
export class Interrupts {
  /** Whether an interrupt passed through a span. It may have been answered inside of the run. */
  raised = false;
  /** Whether LangGraph refused an interrupt for lack of a checkpointer; a tool may have caught that. */
  refused = false;

  /** Ids of interrupts whose question was emitted: an interrupt passes through every span around it. */
  readonly #asked = new Set<unknown>();

  /**
   * Whether what was thrown is no failure: LangGraph throws to interrupt a graph, and to hand over.
   * @param ask called with what an interrupt asks, once for each
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

  /** @param value what the bot's runnable returned; @param hasAnswer whether there is an answer in it */
  leftOpen(value: unknown, hasAnswer: boolean): boolean {
    if (this.refused || isInterruptedState(value)) return true;
    return this.raised && !hasAnswer;
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
