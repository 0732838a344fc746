/** What a run is begun with: all that is the application's own code to say, asked before it is claimed. */
import type { Catalogue } from "../../bots/catalogue.ts";
import type { StrayError } from "../../bots/isolation/bot-at-work.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { SendInput } from "../../protocol/inputs.ts";
import type { Caller } from "../caller.ts";
import { containedCheck } from "./contained-check.ts";
import { checkInput, lengthRefusal } from "./input-refusal.ts";
import type { CallerLimits, FindLimits } from "./user-limits.ts";

export interface Preparation {
  /** The caller's. */
  readonly limits: CallerLimits;
  /** What a typed bot is given, as it was checked. */
  readonly input: unknown;
  /** The caller's context, as the bot's schema made it. */
  readonly context: unknown;
}

export interface PreparationOptions {
  readonly bots: Catalogue;
  readonly limitsOf: FindLimits;
  /** Called for errors that get out of a schema's code; without it they are not contained. */
  readonly onStrayError: ((error: StrayError) => void) | undefined;
}

/** @throws LangwireError why no run is begun */
export async function prepare(
  caller: Caller,
  input: SendInput,
  options: PreparationOptions,
): Promise<Preparation> {
  const limits = await options.limitsOf(caller);
  const tooLong = lengthRefusal(input, limits);
  if (tooLong !== undefined) throw tooLong;
  const given = await checkInput(input, options);
  const context = await checkContext(caller, input, options);
  return { limits, input: given.value, context: context.value };
}

/**
 * @returns the context within an object, since it may have a `then`: undefined where the caller has none, and the
 *   bot asks for none
 * @throws LangwireError BOT_FAILED that names what does not fit, by path: a schema's own messages may
 *   quote the value
 */
async function checkContext(
  { context }: Caller,
  { botId, runId }: SendInput,
  { bots, onStrayError }: PreparationOptions,
): Promise<{ readonly value: unknown }> {
  const { contextSchema } = bots.get(botId) ?? {};
  if (contextSchema === undefined) return { value: context };
  const what = { schema: contextSchema, value: context, path: "context" };
  const checked = await containedCheck(what, { atWork: { botId, runId }, onStrayError });
  if (checked.ok) return checked;
  const message = `The caller's context does not fit the bot: ${checked.paths.join(", ")}.`;
  throw new LangwireError("BOT_FAILED", { message });
}
