/** A runnable, an agent or a graph that a program exports by itself, as the bot that it is by default. */
import { type Bot, type BotRunnable, defineBot, type Memory } from "../../bots/bot.ts";
import { isRunnable } from "../../bots/definition/settings.ts";
import { checkpointedGraphs } from "../../bots/threads/checkpointed-graphs.ts";

export interface RunnableBot {
  readonly id: string;
  readonly description?: string | undefined;
  readonly runnable: BotRunnable;
  /** Of a runnable that remembers nothing by itself. */
  readonly memory: Memory;
}

/** @throws Error that says why it cannot be one, and what to do */
export function botOfRunnable({ id, description = "", runnable, memory }: RunnableBot): Bot {
  const remembers = checkpointedGraphs(runnable).length > 0;
  return defineBot({
    id,
    title: titleOf(runnable) ?? spelledOut(id),
    description,
    runnable,
    memory: remembers ? false : memory,
  });
}

/** By its shape: the program may have a copy of Langwire of its own. */
export function isBot(value: unknown): value is Bot {
  if (typeof value !== "object" || value === null) return false;
  return "id" in value && "schemas" in value && "makeRunnable" in value;
}

/** Runnables that take what no user says: tools, prompts, parsers, embeddings of them. */
const parts: ReadonlyMap<string, readonly string[]> = new Map([
  ["a tool", ["lc_namespace", "schema", "description", "name", "_call"]],
  ["a prompt", ["formatPromptValue", "inputVariables"]],
  ["an output parser", ["parseResult", "getFormatInstructions"]],
]);

/** @returns what of a bot it is, where it is a runnable that answers nobody by itself */
export function partOfBot(value: object): string | undefined {
  return [...parts].find(([, members]) => members.every((member) => member in value))?.[0];
}

/** A graph that still wants its `compile()`. */
export function isUncompiled(value: unknown): value is { compile(): unknown } {
  if (typeof value !== "object" || value === null || isRunnable(value)) return false;
  return "addNode" in value && "compile" in value && typeof value.compile === "function";
}

/** A name that the program gave it: not the one that LangGraph gives every graph. */
function titleOf(runnable: BotRunnable): string | undefined {
  if (!Object.hasOwn(runnable, "name")) return undefined;
  const name: unknown = Reflect.get(runnable, "name");
  return typeof name === "string" && name.trim() !== "" && name !== "LangGraph" ? name : undefined;
}

/** `supportAgent`, `support_agent` → `Support agent`. */
function spelledOut(id: string): string {
  const words = id
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[\s_.-]+/)
    .filter((word) => word !== "")
    .map((word) => (/^[A-Z]+$/.test(word) ? word : word.toLowerCase()));
  const text = words.join(" ");
  return text === "" ? id : text.charAt(0).toUpperCase() + text.slice(1);
}
