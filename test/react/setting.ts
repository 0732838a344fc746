/** A server whose bots say what a test tells them to, and clients of it. */
import { onTestFinished } from "vitest";
import { type ClientOptions, createClient, type LangwireClient } from "../../client/src/index.ts";
import { defineBot } from "../../src/bots/bot.ts";
import { agentBot } from "../../src/shipped/agent-bot.ts";
import { type ScriptedReply, scriptedModel, startTestServer } from "../../src/testing/index.ts";

export interface Setting {
  readonly url: string;
  readonly port: number;
  readonly server: Awaited<ReturnType<typeof startTestServer>>;
  readonly client: LangwireClient;
  connect(options?: Partial<ClientOptions>): LangwireClient;
}

/**
 * Two bots, `chat` and `agent`, on one model that gives these replies; or as many as the script has.
 * Everything is gone when the test has finished.
 */
export async function setUp(
  script: readonly ScriptedReply[] | ((call: number, message: string) => ScriptedReply),
): Promise<Setting> {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const model =
    typeof script === "function"
      ? scriptedModel((messages, call) => script(call, messages.at(-1)?.text ?? ""))
      : scriptedModel(script);
  const bots = [
    defineBot({
      id: "chat",
      title: "Chat",
      description: "Talks.",
      runnable: model,
      input: ({ message }) => message,
    }),
    agentBot({ model }),
  ];
  const server = stack.use(await startTestServer({ bots }));
  const { url, port } = server;
  const connect = (options: Partial<ClientOptions> = {}) =>
    stack.use(createClient({ url, backoff: { baseMs: 20, maxMs: 100 }, ...options }));
  return { url, port, server, client: connect(), connect };
}

/** A promise with its own key, for replies that wait in the middle. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}
