/** What `chat.send` gives a bot: a message, or a typed bot's input, which is checked before anything runs. */
import type { Catalogue } from "../../bots/catalogue.ts";
import { takesText } from "../../bots/definition/schemas.ts";
import { type Checked, check } from "../../bots/definition/standard-schema.ts";
import {
  type BotAtWork,
  type StrayError,
  withBotAtWork,
} from "../../bots/isolation/bot-at-work.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Json } from "../../protocol/events.ts";
import type { SendInput } from "../../protocol/inputs.ts";
import { within } from "../../time/within.ts";
import type { RunLimits } from "../limits.ts";

/** A message or an input, as sent or as stored with its run. */
interface Given {
  readonly message?: string | undefined;
  readonly input?: Json | undefined;
}

/** A schema's own code may wait for something that never comes. */
const checkTimeoutMs = 10_000;

/** What stands where a message stands: in lists, as a title, for readers that know no inputs. */
export function textOf({ message, input }: Given): string {
  return message ?? JSON.stringify(input ?? null);
}

/** Why no run is started with it, before anybody has looked into it. */
export function inputRefusal(
  { botId, ...given }: SendInput,
  options: { readonly bots: Catalogue; readonly limits: RunLimits },
): LangwireError | undefined {
  const { maxMessageLength } = options.limits;
  const bot = options.bots.get(botId);
  if (bot === undefined) return new LangwireError("NOT_FOUND", { message: "No such bot." });
  const field = given.message === undefined ? "input" : "message";
  const takesInput = bot.inputSchema !== undefined;
  if (field === "input" && !takesInput) return badInput("input: this bot takes a message");
  if (field === "message" && takesInput && !takesText(bot.schemas.input)) {
    return badInput("message: this bot takes an input");
  }
  const isTooLong = textOf(given).length > maxMessageLength;
  return isTooLong ? badInput(`${field}: longer than ${maxMessageLength} characters`) : undefined;
}

/**
 * What the runnable of a typed bot is given. A message is such a bot's input as well, where that may be a
 * text.
 * @returns undefined for a bot that takes messages
 * @throws LangwireError BAD_INPUT that names what does not fit by its path; BOT_FAILED where the check fails
 */
export async function checkInput(
  { botId, runId, message, input }: Given & BotAtWork,
  options: {
    readonly bots: Catalogue;
    /** Called for errors that get out of the schema's code; without it they are not contained. */
    readonly onStrayError: ((error: StrayError) => void) | undefined;
  },
): Promise<unknown> {
  const { bots, onStrayError } = options;
  const { inputSchema } = bots.get(botId) ?? {};
  if (inputSchema === undefined) return undefined;
  const isMessage = input === undefined;
  const look = () =>
    check(inputSchema, isMessage ? message : input, isMessage ? "message" : "input");
  // What its code throws in a timer is the schema's own failure, and not the server's.
  const crashed = Promise.withResolvers<never>();
  const atWork = { botId, runId, crash: crashed.reject };
  let checked: Checked | undefined;
  try {
    const checking =
      onStrayError === undefined ? look() : withBotAtWork({ ...atWork, stray: onStrayError }, look);
    checked = await within(Promise.race([checking, crashed.promise]), checkTimeoutMs);
  } catch (cause) {
    throw new LangwireError("BOT_FAILED", { cause });
  }
  if (checked === undefined) {
    const cause = new Error(`The check of the bot's input took longer than ${checkTimeoutMs} ms.`);
    throw new LangwireError("BOT_FAILED", { cause });
  }
  if (!checked.ok) throw badInput(checked.issues.join("; "));
  return checked.value;
}

function badInput(message: string): LangwireError {
  return new LangwireError("BAD_INPUT", { message });
}
