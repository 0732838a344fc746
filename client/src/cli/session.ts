/** One conversation on a terminal: a message at a time, each of which Ctrl-C can cancel. */
import { styleText } from "node:util";
import type { LangwireClient } from "../client.ts";
import { LangwireClientError } from "../errors.ts";
import type { Run } from "../run.ts";
import type { Json, Message, RunStatus } from "../types.ts";
import { Renderer } from "./render.ts";
import { renderMessage } from "./render-message.ts";
import { type Paint, printable } from "./styles.ts";

export interface SessionOptions {
  readonly client: LangwireClient;
  /** Shown when nobody answers there. */
  readonly url: string;
  /** Default: the conversation's bot, or the first that the server lists. */
  readonly botId: string | undefined;
  readonly conversationId: string;
  /** Whether nobody has sent anything in it. */
  readonly isNew: boolean;
  readonly json: boolean;
  /** Every chain, and what was thrown. */
  readonly verbose: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** A message, or a typed bot's input. */
export type Sent = { readonly message: string } | { readonly input: Json };

export const exitCodes = { completed: 0, failed: 1, cancelled: 130 } as const satisfies Record<
  RunStatus,
  number
>;

/** How long it may take to find out why a server is not reached. */
const reasonMs = 300;

export class Session {
  readonly #options: SessionOptions;
  #running: Run | undefined;
  #connected = false;
  #cancelling = false;
  #botId: string | undefined;
  /** Set from the first attempt on that does not reach the server. */
  #unreached: NodeJS.Timeout | undefined;
  /** What was said of a connection that was lost: that it was, and why it does not come back. */
  #lostBy: string[] = [];
  /** Aborted when there is no server to answer. */
  readonly #nobody = new AbortController();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#botId = options.botId;
    options.client.connection.subscribe(({ state, error }) => {
      if (state === "open") {
        this.#connected = true;
        clearTimeout(this.#unreached);
        this.#unreached = undefined;
        this.#lostBy = [];
      } else if (error === undefined || state !== "connecting") return;
      else if (this.#connected) this.#lost(error);
      // A server that was never there is more likely a wrong address than a lost network.
      else if (error.code === "UNREACHABLE") {
        this.#unreached ??= setTimeout(() => this.#nobody.abort(), reasonMs);
      }
    });
  }

  /** Shows what was said before, the oldest first. @returns the exit code that says how it went */
  async showHistory(): Promise<number> {
    const { client, conversationId, json, stdout } = this.#options;
    try {
      const messages: Message[] = [];
      for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; ) {
        const input = { conversationId, cursor, limit: 100 };
        const page = await client.conversations.messages(input, { signal: this.#nobody.signal });
        messages.unshift(...page.items);
        cursor = page.nextCursor;
        isFirst = false;
      }
      for (const message of messages) {
        const shown = renderMessage(message, painter(stdout));
        stdout.write(json ? `${JSON.stringify(message)}\n` : shown);
      }
      return exitCodes.completed;
    } catch (error) {
      if (!(error instanceof LangwireClientError)) throw error;
      this.#refused(error);
      return exitCodes.failed;
    }
  }

  /** @returns the exit code that says how it went */
  async send(sent: Sent): Promise<number> {
    const { client, conversationId, json, stdout } = this.#options;
    this.#cancelling = false;
    const renderer = new Renderer({
      paint: painter(stdout),
      allChains: this.#options.verbose,
      details: this.#options.verbose,
    });
    try {
      this.#botId ??= await this.#bot();
      const { signal } = this.#nobody;
      const run = client.send({ botId: this.#botId, conversationId, ...sent }, { signal });
      this.#running = run;
      for await (const event of run) {
        stdout.write(json ? `${JSON.stringify(event)}\n` : renderer.render(event));
      }
      return exitCodes[(await run.ended).status];
    } catch (error) {
      if (!(error instanceof LangwireClientError)) throw error;
      this.#refused(error);
      await this.#tellBots(error);
      return exitCodes.failed;
    } finally {
      this.#running = undefined;
    }
  }

  /** @returns whether there was a run to cancel that was not being cancelled already */
  interrupt(): boolean {
    if (this.#running === undefined || this.#cancelling) return false;
    this.#cancelling = true;
    this.#note("\nCancelling… Ctrl-C once more leaves at once.");
    // The run's own ending says how it went.
    this.#running.cancel().catch(() => {});
    return true;
  }

  /** @throws LangwireClientError when the server cannot be asked */
  async #bot(): Promise<string> {
    const { client, conversationId, isNew } = this.#options;
    const asking = { signal: this.#nobody.signal };
    if (!isNew) {
      try {
        return (await client.conversations.get({ conversationId }, asking)).botId;
      } catch (error) {
        // A conversation's id may be chosen before there is one.
        if (!(error instanceof LangwireClientError) || error.code !== "NOT_FOUND") throw error;
      }
    }
    const [first] = await client.bots.list(asking);
    if (first === undefined) {
      throw new LangwireClientError({ code: "NOT_FOUND", message: "The server has no bots." });
    }
    return first.id;
  }

  /** Where a bot was not found, which there are. */
  async #tellBots({ code }: LangwireClientError): Promise<void> {
    const { client, botId } = this.#options;
    if (code !== "NOT_FOUND" || botId === undefined) return;
    const bots = await client.bots.list().catch(() => []);
    const ids = bots.map(({ id }): string => id);
    if (ids.length === 0 || ids.includes(botId)) return;
    this.#note(`There is no bot ${printable(botId)}. There are: ${ids.join(", ")}.`);
  }

  /** Every attempt fails: told is that the connection was lost, and once why it does not come back. */
  #lost({ message }: LangwireClientError): void {
    const { length } = this.#lostBy;
    if (length === 2 || this.#lostBy.includes(message)) return;
    this.#lostBy.push(message);
    const waiting = `Waiting for ${this.#options.url}.${this.#reason()}`;
    this.#note(length === 0 ? "Connection lost, trying again…" : waiting);
  }

  /** Why the server cannot be reached, where that is known. */
  #reason(): string {
    const { error } = this.#options.client.connection;
    return error === undefined ? "" : ` ${printable(error.message)}`;
  }

  #refused({ code, message, detail }: LangwireClientError): void {
    const { stderr, verbose } = this.#options;
    const paint = painter(stderr);
    if (code === "CLOSED" && !this.#connected) {
      stderr.write(
        `${paint("red", `No server answers at ${this.#options.url}.${this.#reason()}`)}\n` +
          "Start one with `langwire dev`, or name another with `--url ws://host:port/trpc`.\n",
      );
    } else {
      stderr.write(`${paint("red", printable(`${code}: ${message}`))}\n`);
      if (verbose && detail !== undefined) this.#note(printable(detail));
    }
  }

  #note(text: string): void {
    const { stderr } = this.#options;
    stderr.write(`${painter(stderr)("dim", text)}\n`);
  }
}

/** Colours where the stream shows them: on a terminal, and as NO_COLOR and FORCE_COLOR say. */
export function painter(stream: NodeJS.WriteStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}
