/** The bots that a server has, by id. */
import type { BotInfo } from "../protocol/conversations.ts";
import type { Bot } from "./bot.ts";
import { takesText } from "./definition/schemas.ts";

export class Catalogue {
  #bots: ReadonlyMap<string, Bot> = new Map();

  /** @throws Error when two bots have the same id. */
  constructor(bots: readonly Bot[]) {
    this.replace(bots);
  }

  /**
   * From now on there are these. Runs in progress go on with the bot that they began with; a conversation
   * whose bot is not among them takes no messages until it is again.
   * @throws Error when two bots have the same id; then there are those that there were
   */
  replace(bots: readonly Bot[]): void {
    const byId = new Map<string, Bot>();
    for (const bot of bots) {
      if (byId.has(bot.id)) throw new Error(`There are two bots with the id "${bot.id}".`);
      byId.set(bot.id, bot);
    }
    this.#bots = byId;
  }

  get(id: string): Bot | undefined {
    return this.#bots.get(id);
  }

  /** @param maxMessageLength characters of the longest message that a run is started with */
  list(maxMessageLength: number): BotInfo[] {
    return [...this.#bots.values()].map(({ id, title, description, schemas, inputSchema }) => ({
      id,
      title,
      description,
      maxMessageLength,
      schemas: { ...schemas, ...(schemas.state && { state: { ...schemas.state } }) },
      accepts: {
        message: inputSchema === undefined || takesText(schemas.input),
        input: inputSchema !== undefined,
      },
    }));
  }
}
