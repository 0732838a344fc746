/** Finds the graphs with a checkpointer in a bot's runnable. */
/** What is read and written of a thread: a part of LangGraph's `Pregel`. */
export interface CheckpointedGraph {
  readonly nodes: Readonly<Record<string, unknown>>;
  readonly channels: Readonly<Record<string, unknown>>;
  getState(config: ThreadConfig): Promise<ThreadState>;
  updateState(config: ThreadConfig, values: unknown, asNode?: string): Promise<unknown>;
}

export interface ThreadConfig {
  readonly configurable: Readonly<Record<string, unknown>>;
}

export interface ThreadState {
  readonly values: unknown;
  readonly next: readonly string[];
}

/**
 * Graphs with a checkpointer of their own, also of agents: past bindings, retries and fallbacks, and
 * in the steps of a sequence. Those that a function of the bot's calls cannot be seen.
 */
export function checkpointedGraphs(runnable: unknown): CheckpointedGraph[] {
  const found: CheckpointedGraph[] = [];
  const seen = new Set<object>();
  const left: unknown[] = [runnable];
  while (left.length > 0) {
    const next = left.shift();
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    if (isGraph(next)) {
      if (hasCheckpointer(next)) found.push(next);
      continue;
    }
    for (const name of ["graph", "bound", "runnable", "first", "last"]) {
      if (name in next) left.push(Reflect.get(next, name));
    }
    for (const name of ["middle", "fallbacks"]) {
      const several: unknown = name in next ? Reflect.get(next, name) : undefined;
      if (Array.isArray(several)) left.push(...several);
    }
  }
  return found;
}

function isGraph(value: object): value is CheckpointedGraph {
  return "lg_is_pregel" in value && "getState" in value && "updateState" in value;
}

/** A boolean says whether the parent's checkpointer is used; it is none of the graph's own. */
function hasCheckpointer(graph: object): boolean {
  const checkpointer: unknown = "checkpointer" in graph ? graph.checkpointer : undefined;
  return typeof checkpointer === "object" && checkpointer !== null;
}
