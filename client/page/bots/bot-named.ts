import type { BotInfo } from "langwire-client";

/** A bot by its id. What was said with one that the server no longer has can still be read. */
export function botNamed(bots: readonly BotInfo[], id: string): BotInfo {
  const unknown = { id, title: id, description: "", schemas: { input: {}, output: {} } };
  return bots.find((bot) => bot.id === id) ?? unknown;
}
