/** What a run is begun with: all that is the application's own code to say, asked before it is claimed. */
import type { Bot } from "../../bots/bot.ts";
import type { BotAtWork, StrayError } from "../../bots/isolation/bot-at-work.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Caller } from "../caller.ts";
import { containedCheck } from "./contained-check.ts";
import { checkInput, type Given, lengthRefusal } from "./input-refusal.ts";
import type { CallerLimits, FindLimits } from "./user-limits.ts";

export interface Preparation {
  /** By which it was checked: the run is this one's to its end, whatever replaces it meanwhile. */
  readonly bot: Bot;
  /** The caller's. */
  readonly limits: CallerLimits;
  /** What a typed bot is given, as it was checked. */
  readonly input: unknown;
  /** The caller's context, as the bot's schema made it. */
  readonly context: unknown;
}

export interface PreparationOptions {
  readonly bot: Bot;
  readonly limitsOf: FindLimits;
  /** Called for errors that get out of a schema's code; without it they are not contained. */
  readonly onStrayError: ((error: StrayError) => void) | undefined;
}

/** @throws LangwireError why no run is begun */
export async function prepare(
  caller: Caller,
  input: Given & BotAtWork,
  options: PreparationOptions,
): Promise<Preparation> {
  const limits = await options.limitsOf(caller);
  const tooLong = lengthRefusal(input, limits);
  if (tooLong !== undefined) throw tooLong;
  const given = await checkInput(input, options);
  const context = await checkContext(caller, input, options);
  return { bot: options.bot, limits, input: given.value, context: context.value };
}

/**
 * @returns the context within an object, since it may have a `then`: undefined where the caller has none, and the
 *   bot asks for none
 * @throws LangwireError BOT_FAILED that names what does not fit, by path: a schema's own messages may
 *   quote the value
 */
async function checkContext(
  { context }: Caller,
  { botId, runId }: BotAtWork,
  { bot: { contextSchema }, onStrayError }: PreparationOptions,
): Promise<{ readonly value: unknown }> {
  if (contextSchema === undefined) return { value: context };
  const what = { schema: contextSchema, value: context, path: "context" };
  const checked = await containedCheck(what, { atWork: { botId, runId }, onStrayError });
  if (checked.ok) return checked;
  const message = `The caller's context does not fit the bot: ${checked.paths.join(", ")}.`;
  throw new LangwireError("BOT_FAILED", { message });
}
