/** One conversation on a terminal: a message at a time, each of which Ctrl-C can cancel. */
import { styleText } from "node:util";
import type { LangwireClient } from "../client.ts";
import { LangwireClientError } from "../errors.ts";
import type { Run } from "../run.ts";
import type { Message, RunStatus } from "../types.ts";
import { Renderer } from "./render.ts";
import { renderMessage } from "./render-message.ts";
import { type Paint, printable } from "./styles.ts";

export interface SessionOptions {
  readonly client: LangwireClient;
  /** Shown when nobody answers there. */
  readonly url: string;
  readonly botId: string;
  readonly conversationId: string;
  readonly json: boolean;
  /** Every chain, and what was thrown. */
  readonly verbose: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export const exitCodes = { completed: 0, failed: 1, cancelled: 130 } as const satisfies Record<
  RunStatus,
  number
>;

export class Session {
  readonly #options: SessionOptions;
  #running: Run | undefined;
  #connected = false;
  #cancelling = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    options.client.connection.subscribe(({ state, error }) => {
      if (state === "open") this.#connected = true;
      // A server that was never there is more likely a wrong address than a lost network.
      else if (error?.code === "UNREACHABLE" && !this.#connected) this.#running?.detach();
      else if (state === "connecting" && error !== undefined) {
        this.#note("Connection lost, trying again…");
      }
    });
  }

  /** Shows what was said before, the oldest first. @returns the exit code that says how it went */
  async showHistory(): Promise<number> {
    const { client, conversationId, json, stdout } = this.#options;
    try {
      const messages: Message[] = [];
      for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; ) {
        const page = await client.conversations.messages({ conversationId, cursor, limit: 100 });
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
  async send(message: string): Promise<number> {
    const { client, botId, conversationId, json, stdout } = this.#options;
    const run = client.send({ botId, conversationId, message });
    this.#running = run;
    this.#cancelling = false;
    const renderer = new Renderer({
      paint: painter(stdout),
      allChains: this.#options.verbose,
      details: this.#options.verbose,
    });
    try {
      for await (const event of run) {
        stdout.write(json ? `${JSON.stringify(event)}\n` : renderer.render(event));
      }
      return exitCodes[(await run.ended).status];
    } catch (error) {
      if (!(error instanceof LangwireClientError)) throw error;
      this.#refused(error);
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

  #refused({ code, message, detail }: LangwireClientError): void {
    const { stderr, verbose } = this.#options;
    const paint = painter(stderr);
    if (code === "CLOSED" && !this.#connected) {
      stderr.write(
        `${paint("red", `No server answers at ${this.#options.url}.`)}\n` +
          "Start one with `npm start`, or name another with `--url ws://host:port/trpc`.\n",
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
