/** Loads the bots that a program's own module exports; TypeScript by Node.js's type stripping. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Bot } from "../../bots/bot.ts";

/**
 * @param path of the module: it exports `bots`, a list of them; or a list as its default; or bots
 * @throws Error that names the file, and what is wrong with it
 */
export async function loadBots(path: string): Promise<Bot[]> {
  const file = resolve(path);
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${path} cannot be loaded: ${reason}`, { cause });
  }
  const listed = module.bots ?? module.default;
  const found = Array.isArray(listed) ? listed : Object.values(module).filter(isBot);
  const wrong = found.findIndex((value) => !isBot(value));
  if (wrong !== -1)
    throw new Error(`${path}: number ${wrong} of its bots was not made by defineBot.`);
  if (found.length === 0) {
    throw new Error(`${path} exports no bots: \`export const bots = [...] as const\` does.`);
  }
  const bots = [...new Set(found.filter(isBot))];
  const ids = bots.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw new Error(`${path}: there are two bots with the id "${twice}".`);
  return bots;
}

/** By its shape: the program may have a copy of Langwire of its own. */
function isBot(value: unknown): value is Bot {
  if (typeof value !== "object" || value === null) return false;
  return "id" in value && "schemas" in value && "makeRunnable" in value;
}
