/**
 * Makes a checkpointed thread fit for another turn. A run that was stopped, timed out, crashed or
 * interrupted in a tool leaves a call without a result, and from then on the provider refuses every
 * message. Each such call gets a result that says so, and what was about to run is dropped.
 */
import { type BaseMessage, RemoveMessage } from "@langchain/core/messages";
import {
  type CheckpointedGraph,
  checkpointedGraphs,
  type ThreadConfig,
  type ThreadState,
} from "./checkpointed-graphs.ts";
import { isReplaced } from "./graphs.ts";
import { messagesIn, withResults } from "./open-tool-calls.ts";

/** LangGraph's names for the end of a graph, and for "all messages" in its messages' reducer. */
const endOfGraph = "__end__";
const allMessages = "__remove_all__";

/** Whether a bot's `input` resumes its thread on purpose, so that the thread must not be repaired. */
export function continuesThread(input: unknown): boolean {
  return (
    input === null ||
    (typeof input === "object" && "lg_name" in input && input.lg_name === "Command")
  );
}

/** @throws what the bot's checkpointer throws; Error when the thread cannot be repaired */
export async function repairThreads(runnable: unknown, config: ThreadConfig): Promise<void> {
  for (const graph of checkpointedGraphs(runnable)) await repairThread(graph, config);
}

async function repairThread(graph: CheckpointedGraph, config: ThreadConfig): Promise<void> {
  let state = await graph.getState(config);
  const wasAsked = state.next.length > 0;
  // What had finished beside a call that had not is kept: LangGraph holds it back until the step ends.
  if (wasAsked) await graph.updateState(config, null, endOfGraph);
  let repaired = false;
  let refusal: unknown;
  for (const node of writersOf(graph)) {
    const update = updateOf(graph, state);
    if (update === undefined) break;
    try {
      await graph.updateState(config, update, node);
      repaired = true;
    } catch (cause) {
      refusal = cause;
    }
    state = await graph.getState(config);
  }
  if (updateOf(graph, state) !== undefined) {
    throw new Error("A thread has tool calls without results, and takes none.", {
      cause: refusal,
    });
  }
  // The update was made in a node's name, and what follows it must not run.
  if (repaired && state.next.length > 0) await graph.updateState(config, null, endOfGraph);
}

/** Nodes in whose name the results may be written, the likeliest first. Undefined: the last that ran. */
function writersOf({ nodes }: CheckpointedGraph): (string | undefined)[] {
  const names = Object.keys(nodes).filter((name) => name !== "__start__" && name !== "tools");
  return [...("tools" in nodes ? ["tools"] : []), undefined, "__start__", ...names];
}

/** What to write so that no call is open any more; undefined when none is. */
function updateOf(
  graph: CheckpointedGraph,
  { values }: ThreadState,
): Record<string, BaseMessage[]> | undefined {
  const update: Record<string, BaseMessage[]> = {};
  for (const [channel, messages] of messagesIn(values)) {
    const whole = withResults(messages);
    const missing = whole.length - messages.length;
    if (missing === 0) continue;
    const atTheEnd = whole
      .slice(0, messages.length)
      .every((message, at) => message === messages[at]);
    if (isReplaced(graph.channels[channel])) update[channel] = whole;
    else if (atTheEnd) update[channel] = whole.slice(-missing);
    else update[channel] = [new RemoveMessage({ id: allMessages }), ...whole];
  }
  return Object.keys(update).length > 0 ? update : undefined;
}
