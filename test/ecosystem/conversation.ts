/** What a user of a bot sees, over stock tRPC: live, at the end, in the history, in the next turn. */
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { type BotDefinition, defineBot } from "../../src/bots/bot.ts";
import type { ChatEvent, EventOf } from "../../src/protocol/events.ts";
import { AnswerFold } from "../../src/protocol/fold/answer-fold.ts";
import { startTestServer, type TestServer } from "../../src/testing/index.ts";
import { type Reading, read, type StockClient, wsClient } from "../support/stock-client.ts";
import { expectWholeRun, ofType, tokensOf } from "../support/transcript.ts";

export interface Seen {
  readonly events: readonly ChatEvent[];
  readonly end: EventOf<"runEnd">;
  /** The answer as a reader has folded it, before `runEnd` replaces it. */
  readonly live: string;
  readonly tokens: string;
  readonly reasoning: string;
  /** The conversation's messages, oldest first. */
  readonly history: readonly string[];
  of<T extends ChatEvent["type"]>(type: T): EventOf<T>[];
}

/** The conversation of one user with one bot, on a server of its own. */
export class Conversation implements AsyncDisposable {
  readonly #server: TestServer;
  readonly #client: StockClient;
  readonly #botId: string;
  readonly #conversationId = randomUUID();

  private constructor(server: TestServer, botId: string) {
    this.#server = server;
    this.#client = wsClient(server.url);
    this.#botId = botId;
  }

  /** @param settings What the bot says beside its runnable. Default: what `defineBot` takes for it. */
  static async with(
    runnable: BotDefinition["runnable"],
    settings: Partial<BotDefinition> = {},
  ): Promise<Conversation> {
    const bot = defineBot({ id: "bot", title: "Bot", description: "", ...settings, runnable });
    return new Conversation(await startTestServer({ bots: [bot] }), bot.id);
  }

  async send(message: string): Promise<Seen> {
    const run = this.#start(message);
    return this.#seen(run.reading);
  }

  /** Sends, and presses Stop once `when` has come to pass. */
  async stop(message: string, when: (reading: Reading) => Promise<unknown>): Promise<Seen> {
    const { runId, reading } = this.#start(message);
    await when(reading);
    await this.#client.api.chat.cancel.mutate({ runId });
    return this.#seen(reading);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
    await this.#server[Symbol.asyncDispose]();
  }

  #start(message: string): { readonly runId: string; readonly reading: Reading } {
    const runId = randomUUID();
    const input = { runId, botId: this.#botId, conversationId: this.#conversationId, message };
    const reading = read((options) => this.#client.api.chat.send.subscribe(input, options));
    return { runId, reading };
  }

  async #seen(reading: Reading): Promise<Seen> {
    const received = await reading.completed;
    const end = expectWholeRun(received);
    const fold = new AnswerFold();
    for (const { event } of received) if (event.type !== "runEnd") fold.add(event);
    const conversationId = this.#conversationId;
    const page = await this.#client.api.conversations.messages.query({ conversationId });
    const history = page.items.map(({ text }) => text);
    expect(history.at(-1), "what is kept is what the run ended with").toBe(end.text);
    return {
      events: received.map(({ event }) => event),
      end,
      live: fold.text,
      tokens: tokensOf(received),
      reasoning: ofType(received, "reasoning")
        .map(({ text }) => text)
        .join(""),
      history,
      of: (type) => ofType(received, type),
    };
  }
}
