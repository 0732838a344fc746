/** What `chat.send` gives a bot: a message, or a typed bot's input, which is checked before anything runs. */
import type { Bot } from "../../bots/bot.ts";
import type { Catalogue } from "../../bots/catalogue.ts";
import { takesText } from "../../bots/definition/schemas.ts";
import type { BotAtWork, StrayError } from "../../bots/isolation/bot-at-work.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Json } from "../../protocol/events.ts";
import type { SendInput } from "../../protocol/inputs.ts";
import { containedCheck } from "./contained-check.ts";
import type { UserLimits } from "./user-limits.ts";

/** A message or an input, as sent or as stored with its run. */
export interface Given {
  readonly message?: string | undefined;
  readonly input?: Json | undefined;
}

/** What stands where a message stands: in lists, as a title, for readers that know no inputs. */
export function textOf({ message, input }: Given): string {
  return message ?? JSON.stringify(input ?? null);
}

/** Why no run is started with it, before anybody has looked into it. */
export function inputRefusal(given: Given, bot: Bot | undefined): LangwireError | undefined {
  return bot === undefined ? noSuchBot() : mismatch(given, bot);
}

/** @throws LangwireError NOT_FOUND, BAD_INPUT: why no run is started with it */
export function botFor(
  { botId, ...given }: Given & Pick<SendInput, "botId">,
  bots: Catalogue,
): Bot {
  const bot = bots.get(botId);
  if (bot === undefined) throw noSuchBot();
  const refusal = mismatch(given, bot);
  if (refusal !== undefined) throw refusal;
  return bot;
}

function noSuchBot(): LangwireError {
  return new LangwireError("NOT_FOUND", { message: "No such bot." });
}

/** A message for a bot that takes an input, or the other way round. */
function mismatch(given: Given, bot: Bot): LangwireError | undefined {
  const field = fieldOf(given);
  const takesInput = bot.inputSchema !== undefined;
  if (field === "input" && !takesInput) return badInput("input: this bot takes a message");
  if (field === "message" && takesInput && !takesText(bot.schemas.input)) {
    return badInput("message: this bot takes an input");
  }
  return undefined;
}

/** Why none is started for this caller. */
export function lengthRefusal(
  given: Given,
  { maxMessageLength }: Pick<UserLimits, "maxMessageLength">,
): LangwireError | undefined {
  if (textOf(given).length <= maxMessageLength) return undefined;
  return badInput(`${fieldOf(given)}: longer than ${maxMessageLength} characters`);
}

function fieldOf({ message }: Given): "message" | "input" {
  return message === undefined ? "input" : "message";
}

/**
 * What the runnable of a typed bot is given. A message is such a bot's input as well, where that may be a
 * text.
 * @returns the input within an object, since what a schema makes of it may have a `then`: undefined for a bot
 *   that takes messages
 * @throws LangwireError BAD_INPUT that names what does not fit by its path; BOT_FAILED where the check fails
 */
export async function checkInput(
  { botId, runId, message, input }: Given & BotAtWork,
  options: {
    readonly bot: Bot;
    readonly onStrayError: ((error: StrayError) => void) | undefined;
  },
): Promise<{ readonly value: unknown }> {
  const { onStrayError } = options;
  const { inputSchema } = options.bot;
  if (inputSchema === undefined) return { value: undefined };
  const what =
    input === undefined
      ? { schema: inputSchema, value: message, path: "message" }
      : { schema: inputSchema, value: input, path: "input" };
  const checked = await containedCheck(what, { atWork: { botId, runId }, onStrayError });
  if (!checked.ok) throw badInput(checked.issues.join("; "));
  return checked;
}

function badInput(message: string): LangwireError {
  return new LangwireError("BAD_INPUT", { message });
}
