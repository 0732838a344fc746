/** What a node of a graph returns: updates of the state, in LangGraph's ways. */

/** How deep lists and commands are searched. */
const depthAtMost = 3;

/** The update itself; those in a list; those that commands carry, also as pairs of a channel and a value. */
export function updatesIn(outputs: unknown, depth = 0): object[] {
  if (typeof outputs !== "object" || outputs === null || depth > depthAtMost) return [];
  if (Array.isArray(outputs)) return outputs.flatMap((one) => updatesIn(one, depth + 1));
  if (!("lg_name" in outputs)) return [outputs];
  if (outputs.lg_name !== "Command" || !("update" in outputs)) return [];
  const { update } = outputs;
  return isPairs(update) ? [Object.fromEntries(update)] : updatesIn(update, depth + 1);
}

function isPairs(update: unknown): update is [string, unknown][] {
  return (
    Array.isArray(update) &&
    update.every((one) => Array.isArray(one) && one.length === 2 && typeof one[0] === "string")
  );
}
