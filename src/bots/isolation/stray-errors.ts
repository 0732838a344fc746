/**
 * Contains errors that a bot's code throws where nobody can catch them: they end at most its run. Node
 * ends the process for them, and with one package's floating promise everybody's runs.
 *
 * What comes from anywhere else is treated as if nobody listened here: it goes to the application's
 * own listeners where there are any, and is fatal where there are none.
 */
import { type ContainedBot, containedBot, type StrayKind } from "./bot-at-work.ts";

let installed = false;

/** For the whole process and from now on: promises outlive the runs that made them. */
export function containStrayErrors(): void {
  if (installed) return;
  installed = true;
  process.on("unhandledRejection", onRejection);
  process.on("uncaughtException", onException);
}

function onRejection(reason: unknown): void {
  const bot = containedBot();
  if (bot !== undefined) contain(bot, "rejection", reason);
  // What Node does without a listener.
  else if (process.listenerCount("unhandledRejection") === 1) throw reason;
}

function onException(error: unknown): void {
  const bot = containedBot();
  if (bot !== undefined) contain(bot, "exception", error);
  else if (process.listenerCount("uncaughtException") === 1) {
    // Thrown once more without a listener, it ends the process as Node ends it.
    process.off("uncaughtException", onException);
    setImmediate(() => {
      throw error;
    });
  }
}

/** A floating promise may not matter to the run, so it goes on; a callback that threw ends it. */
function contain(bot: ContainedBot, kind: StrayKind, cause: unknown): void {
  const { botId, runId } = bot;
  try {
    bot.stray({ botId, runId, kind, cause });
    if (kind === "exception") bot.crash?.(cause);
  } catch {
    // The observer threw; the error itself stays contained.
  }
}
