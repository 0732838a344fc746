/** The graphs of a langgraph.json as bots: compiled, to be compiled, or made by a function. */
import type { Bot, BotContext, BotRunnable, Memory } from "../../bots/bot.ts";
import { defineBot } from "../../bots/bot.ts";
import { isRunnable } from "../../bots/definition/settings.ts";
import { configurableOf } from "../../bots/invocation/configurable.ts";
import { ProgramError } from "../../serve/program.ts";
import { named } from "./exported-bots.ts";
import type { LanggraphGraph } from "./langgraph-json.ts";
import { botOfRunnable, isBot, isUncompiled } from "./runnable-bot.ts";

type Module = Readonly<Record<string, unknown>>;

/** @throws ProgramError that names the graph, and says why it cannot be a bot */
export async function langgraphBot(
  { id, file, exportName, description }: LanggraphGraph,
  { module, memory }: { readonly module: Module; readonly memory: Memory },
): Promise<Bot> {
  if (!(exportName in module)) {
    const names = Object.keys(module).join(", ") || "nothing";
    throw new ProgramError(
      `${file}: there is no export ${exportName} (for ${id}); it exports ${names}.`,
    );
  }
  const value = compiled(await module[exportName]);
  return named(file, exportName, () => {
    if (isBot(value)) return { ...value, id };
    if (isRunnable(value)) return botOfRunnable({ id, description, runnable: value, memory });
    if (!isFactory(value))
      throw new TypeError("It is neither a graph nor a function that makes one.");
    const runnable = async (context: BotContext): Promise<BotRunnable> => {
      const made = compiled(await value({ configurable: configurableOf(context) }));
      if (!isRunnable(made)) throw new TypeError(`${exportName} did not return a graph.`);
      return made;
    };
    return defineBot({ id, title: id, description: description ?? "", runnable, memory });
  });
}

type Factory = (config: { configurable: Record<string, string> }) => unknown;

const isFactory = (value: unknown): value is Factory => typeof value === "function";

const compiled = (value: unknown): unknown => (isUncompiled(value) ? value.compile() : value);
