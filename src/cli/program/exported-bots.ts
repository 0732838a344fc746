/** What a program's module exports, as bots: made by `defineBot`, or runnables, agents and graphs. */
import { basename, dirname } from "node:path";
import type { Bot, Memory } from "../../bots/bot.ts";
import { isRunnable } from "../../bots/definition/settings.ts";
import { ProgramError } from "../../serve/program.ts";
import { botOfRunnable, isBot, isUncompiled, partOfBot } from "./runnable-bot.ts";

export interface ExportedBots {
  readonly bots: readonly Bot[];
  /** What else is exported, and why it is no bot. */
  readonly others: readonly string[];
}

/** A value under the name that makes its id. */
interface Named {
  readonly name: string;
  readonly value: unknown;
}

/** Exports that are no bots, and have a meaning of their own. */
const reserved: ReadonlySet<string> = new Set(["authenticate", "limitsOf"]);

/**
 * @param file of the module: the id of what it exports as its default, and what errors name
 * @throws ProgramError that names what cannot be a bot, and says what to do
 */
export async function exportedBots(
  module: Readonly<Record<string, unknown>>,
  { file, memory }: { readonly file: string; readonly memory: Memory },
): Promise<ExportedBots> {
  const exported = await Promise.all(
    Object.entries(module)
      .filter(([name]) => !reserved.has(name))
      .map(async ([name, value]): Promise<Named> => {
        return { name: name === "default" ? nameOfFile(file) : name, value: await value };
      }),
  );
  const values = exported.flatMap(({ name, value }) => unpacked(name, value));
  const bots = new Set(values.map(({ value }) => value).filter(isBot));
  const used = new Set<unknown>(await Promise.all([...bots].map(runnableOf)));
  const others: string[] = [];
  const byRunnable = new Map<unknown, Bot>();
  for (const { name, value } of values) {
    if (isBot(value) || used.has(value) || byRunnable.has(value)) continue;
    if (isUncompiled(value)) {
      throw new ProgramError(
        `${file}: ${name} is a graph that is not compiled: export ${name}.compile().`,
      );
    }
    const part = typeof value === "object" && value !== null ? partOfBot(value) : undefined;
    if (!isRunnable(value) || part !== undefined) {
      others.push(part === undefined ? name : `${name} (${part})`);
      continue;
    }
    byRunnable.set(
      value,
      named(file, name, () => botOfRunnable({ id: name, runnable: value, memory })),
    );
  }
  const all = [...bots, ...byRunnable.values()];
  const ids = all.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined)
    throw new ProgramError(`${file}: there are two bots with the id "${twice}".`);
  return { bots: all, others };
}

/** @throws what `make` throws, with the export's name before it */
export function named<Value>(file: string, name: string, make: () => Value): Value {
  try {
    return make();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProgramError(
      `${file}: ${name} cannot be a bot by itself, but in a defineBot that says what it lacks. ${reason}`,
      { cause },
    );
  }
}

/** A list's or an object's members, where there are bots among them. */
function unpacked(name: string, value: unknown): Named[] {
  if (!Array.isArray(value) && (!isPlain(value) || canAnswer(value))) return [{ name, value }];
  if (!Object.values(value).some(canAnswer)) return [{ name, value }];
  const isList = Array.isArray(value);
  return Object.entries(value).map(([key, member]) => ({
    name: isList ? `${name}.${Number(key) + 1}` : key,
    value: member,
  }));
}

const canAnswer = (value: unknown): boolean => isBot(value) || isRunnable(value);

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** So that what a bot is made of is not offered a second time, without what its definition says. */
async function runnableOf(bot: Bot): Promise<unknown> {
  if (bot.makesRunnables) return undefined;
  return await bot.makeRunnable({ runId: "", conversationId: "", userId: "", context: undefined });
}

function nameOfFile(file: string): string {
  const name = basename(file).replace(/\.[^.]*$/, "");
  return name === "index" ? basename(dirname(file)) : name;
}
