/** Finds the graphs with a checkpointer of their own in a bot's runnable. */
import { type Graph, graphsIn } from "./graphs.ts";

/** What is read and written of a thread: a part of LangGraph's `Pregel`. */
export interface CheckpointedGraph extends Graph {
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

export function checkpointedGraphs(runnable: unknown): CheckpointedGraph[] {
  return graphsIn(runnable, { nested: false }).filter(hasCheckpointer);
}

/** A boolean says whether the parent's checkpointer is used; it is none of the graph's own. */
function hasCheckpointer(graph: Graph): graph is CheckpointedGraph {
  const checkpointer: unknown = "checkpointer" in graph ? graph.checkpointer : undefined;
  const isOwn = typeof checkpointer === "object" && checkpointer !== null;
  return isOwn && "getState" in graph && "updateState" in graph;
}
