/** A value held against a bot's schema, whose code may fail, wait for ever, or throw in a timer. */
import { type Checked, check, type StandardSchema } from "../../bots/definition/standard-schema.ts";
import {
  type BotAtWork,
  type StrayError,
  withBotAtWork,
} from "../../bots/isolation/bot-at-work.ts";
import { LangwireError } from "../../protocol/errors.ts";
import { within } from "../../time/within.ts";

const checkTimeoutMs = 10_000;

interface ToCheck {
  readonly schema: StandardSchema;
  readonly value: unknown;
  /** What stands before each issue's own path. */
  readonly path: string;
}

/** @throws LangwireError BOT_FAILED where the check itself fails */
export async function containedCheck(
  { schema, value, path }: ToCheck,
  {
    atWork,
    onStrayError,
  }: {
    readonly atWork: BotAtWork;
    /** Called for errors that get out of the schema's code; without it they are not contained. */
    readonly onStrayError: ((error: StrayError) => void) | undefined;
  },
): Promise<Checked> {
  const look = () => check(schema, value, path);
  // What its code throws in a timer is the schema's own failure, and not the server's.
  const crashed = Promise.withResolvers<never>();
  const contained = { ...atWork, crash: crashed.reject };
  let checked: Checked | undefined;
  try {
    const checking =
      onStrayError === undefined
        ? look()
        : withBotAtWork({ ...contained, stray: onStrayError }, look);
    checked = await within(Promise.race([checking, crashed.promise]), checkTimeoutMs);
  } catch (cause) {
    throw new LangwireError("BOT_FAILED", { cause });
  }
  if (checked !== undefined) return checked;
  const cause = new Error(`The check of the bot's ${path} took longer than ${checkTimeoutMs} ms.`);
  throw new LangwireError("BOT_FAILED", { cause });
}
