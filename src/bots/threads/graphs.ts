/** Finds the graphs in a bot's runnable. Those that a function of the bot's calls cannot be seen. */

/** A part of LangGraph's `Pregel`. */
export interface Graph {
  readonly nodes: Readonly<Record<string, unknown>>;
  readonly channels: Readonly<Record<string, unknown>>;
}

/**
 * Graphs, also of agents: past bindings, retries and fallbacks, and in the steps of a sequence.
 * @param options.nested whether graphs that are nodes of others are wanted, too
 */
export function graphsIn(runnable: unknown, options: { readonly nested: boolean }): Graph[] {
  const found: Graph[] = [];
  const seen = new Set<object>();
  const left: unknown[] = [runnable];
  while (left.length > 0) {
    const next = left.shift();
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    if (isGraph(next)) {
      found.push(next);
      if (options.nested) left.push(...Object.values(next.nodes).flatMap(runnablesOf));
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

/** What a node of a graph runs: a `bound`, and graphs that LangGraph has found in it. */
function runnablesOf(node: unknown): unknown[] {
  if (typeof node !== "object" || node === null) return [];
  const subgraphs: unknown = "subgraphs" in node ? node.subgraphs : undefined;
  return [node, ...(Array.isArray(subgraphs) ? subgraphs : [])];
}

function isGraph(value: object): value is Graph {
  return "lg_is_pregel" in value && "nodes" in value && "channels" in value;
}

/**
 * Channels in which what is written replaces what was there, in every graph that has one of that name:
 * they have no reducer.
 */
export function replacedChannels(runnable: unknown): ReadonlySet<string> {
  const replaced = new Map<string, boolean>();
  for (const { channels } of graphsIn(runnable, { nested: true })) {
    for (const [name, channel] of Object.entries(channels)) {
      replaced.set(name, isReplaced(channel) && replaced.get(name) !== false);
    }
  }
  return new Set([...replaced.keys()].filter((name) => replaced.get(name) === true));
}

/** Whether writing to the channel replaces its value: it has no reducer. */
export function isReplaced(channel: unknown): boolean {
  return (
    typeof channel === "object" &&
    channel !== null &&
    "lc_graph_name" in channel &&
    channel.lc_graph_name === "LastValue"
  );
}
