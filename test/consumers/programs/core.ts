/** An application without React. What it may leave out it may also give as undefined. */
import {
  type ChatEvent,
  type ClientOptions,
  createClient,
  LangwireClientError,
} from "langwire-client";
import { RunFold } from "langwire-client/fold";
import { serverSentEvents } from "langwire-client/sse";

declare const maybe: string | undefined;

const options: ClientOptions = {
  url: "wss://chat.example.com/trpc",
  token: maybe,
  userId: maybe,
  backoff: undefined,
  transport: serverSentEvents,
};
const client = createClient(options);

export async function main(signal: AbortSignal | undefined): Promise<string> {
  const message = { botId: "chat", message: "Hi", conversationId: maybe, ifBusy: undefined };
  const run = client.send(
    { ...message, runId: maybe, lastEventId: maybe, only: undefined },
    { signal },
  );
  const fold = new RunFold();
  for await (const event of run) {
    fold.add(event);
    if (event.type === "token") console.log(event.text.length);
  }
  const conversationId = run.conversationId;
  const events: ChatEvent[] = [];
  const watch = client.watch({ conversationId, lastEventId: maybe }, { signal });
  for await (const event of watch) events.push(event);
  const page = await client.conversations.messages({ conversationId, cursor: maybe }, { signal });
  try {
    return `${await run.text} ${page.items[0]?.text} ${fold.spans.length}`;
  } catch (error) {
    if (error instanceof LangwireClientError) return error.code;
    throw error;
  } finally {
    await client.close();
  }
}

// @ts-expect-error: a number is no bot.
client.send({ botId: 1, message: "Hi" });
