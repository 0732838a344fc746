/** What applications read with: this project's own client, its React chat and its transport for the AI SDK. */
import { readUIMessageStream } from "ai";
import { EventSource } from "eventsource";
import { createChatTransport } from "../../client/src/ai-sdk/index.ts";
import type { LangwireChunk, LangwireUIMessage } from "../../client/src/ai-sdk/ui-chunks.ts";
import { createClient, type FollowedRun, type LangwireClient } from "../../client/src/index.ts";
import { Chat, type ChatState } from "../../client/src/react/index.ts";
import { serverSentEvents } from "../../client/src/sse.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import type { Received } from "../support/stock-client.ts";

/** Called after each sign of a run with how many have come. */
type OnEvent = (count: number) => void;

type Init = ConstructorParameters<typeof EventSource>[1];

/** Comes back as soon as its connection is lost: the package waits three seconds, unless it is told. */
class QuickEventSource extends EventSource {
  constructor(url: string | URL, init?: Init) {
    super(url, {
      ...init,
      fetch: async (asked, asking) => {
        const { body, url, status, redirected, headers } = await fetch(
          asked,
          asking as RequestInit,
        );
        return {
          body: body && ReadableStream.from(toldToBeQuick(body)),
          url,
          status,
          redirected,
          headers,
        };
      },
    });
  }
}

async function* toldToBeQuick(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode("retry: 5\n\n");
  yield* body;
}

export const ways = ["a WebSocket", "server-sent events"] as const;
export type Way = (typeof ways)[number];

export function connect(way: Way, port: number): LangwireClient {
  return createClient({
    url: `http://127.0.0.1:${port}/trpc`,
    backoff: { baseMs: 5, maxMs: 50 },
    ...(way === "server-sent events" && {
      transport: serverSentEvents,
      EventSource: QuickEventSource,
    }),
  });
}

/** All that an iteration gives. Numbers are not among it. */
export async function readRun(run: FollowedRun, onEvent?: OnEvent): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const event of run) {
    events.push(event as ChatEvent);
    onEvent?.(events.length);
  }
  return events;
}

/** A watch from now on, until a run has ended. */
export async function startWatch(
  client: LangwireClient,
  conversationId: string,
  onEvent?: OnEvent,
): Promise<{ readonly ended: Promise<Received[]> }> {
  const watch = client.watch({ conversationId });
  await watch.started;
  const read = async () => {
    const received: Received[] = [];
    for await (const event of watch) {
      received.push({ id: watch.lastEventId ?? "", event: event as ChatEvent });
      onEvent?.(received.length);
      if (event.type === "runEnd") break;
    }
    return received;
  };
  return { ended: read() };
}

interface Asked {
  readonly botId?: string;
  readonly conversationId: string;
}

export interface Shown {
  readonly chat: Chat;
  /** The answer as it was drawn, time after time. */
  readonly texts: readonly string[];
  /** Settles when the chat is as described. */
  until(what: (state: ChatState) => boolean): Promise<ChatState>;
  close(): void;
}

/** A React chat on a conversation. */
export function openChat(
  client: LangwireClient,
  { botId = "test", conversationId }: Asked,
  onEvent?: OnEvent,
): Shown {
  const chat = new Chat({ client: () => client, botId, conversationId });
  const texts: string[] = [];
  const close = chat.subscribe(() => {
    const last = chat.getState().messages.at(-1);
    if (last?.role !== "ai") return;
    texts.push(last.text);
    onEvent?.(texts.length);
  });
  const until = (what: (state: ChatState) => boolean) => {
    const { promise, resolve } = Promise.withResolvers<ChatState>();
    const look = () => {
      if (what(chat.getState())) resolve(chat.getState());
    };
    const stop = chat.subscribe(look);
    look();
    return promise.finally(stop);
  };
  return { chat, texts, until, close };
}

/** The AI SDK's stream of a conversation's answer: of a message that is sent, or of one that is under way. */
export async function streamOf(
  client: LangwireClient,
  { botId = "test", conversationId: chatId, message }: Asked & { readonly message?: string },
): Promise<ReadableStream<LangwireChunk> | null> {
  const transport = createChatTransport({ client, botId });
  if (message === undefined) return transport.reconnectToStream({ chatId });
  const human: LangwireUIMessage = {
    ...{ id: crypto.randomUUID(), role: "user" },
    parts: [{ type: "text", text: message }],
  };
  return transport.sendMessages({
    ...{ chatId, messages: [human], trigger: "submit-message" },
    ...{ messageId: undefined, abortSignal: undefined },
  });
}

/** What the AI SDK makes of it: the message as it grows, and how the stream ended where that was no end. */
export async function readUiMessages(stream: ReadableStream<LangwireChunk>, onEvent?: OnEvent) {
  let message: LangwireUIMessage | undefined;
  let count = 0;
  let failure: unknown;
  const onError = (error: unknown) => {
    failure = error;
  };
  for await (const now of readUIMessageStream<LangwireUIMessage>({ stream, onError })) {
    message = now;
    onEvent?.(++count);
  }
  return { message, failure };
}
