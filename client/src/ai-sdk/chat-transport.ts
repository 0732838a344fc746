/** Langwire under the AI SDK's `useChat`. */
import type { ChatTransport } from "ai";
import type { AnyBots, BotId, Bots } from "../bot-types.ts";
import type { LangwireClient, OfBots } from "../client.ts";
import { LangwireClientError, toClientError } from "../errors.ts";
import type { FollowedRun } from "../run.ts";
import type { Json } from "../types.ts";
import { uuid } from "../uuid.ts";
import { type LangwireChunk, type LangwireUIMessage, UiChunks } from "./ui-chunks.ts";

/** @typeParam B the server's bots, inferred from the client */
export interface ChatTransportOptions<B extends Bots = AnyBots> {
  readonly client: LangwireClient & OfBots<B>;
  readonly botId: BotId<B>;
  /**
   * The conversation of a chat. Default: the chat's own id where that is a UUID; otherwise a new
   * conversation, for as long as this transport lives.
   */
  readonly conversationId?: ((chatId: string) => string) | undefined;
  /** What to do when another run is in progress in the conversation. Default: `reject`. */
  readonly ifBusy?: "reject" | "interrupt" | undefined;
}

type Sending = Parameters<ChatTransport<LangwireUIMessage>["sendMessages"]>[0];
type Reconnecting = Parameters<ChatTransport<LangwireUIMessage>["reconnectToStream"]>[0];

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/**
 * The server keeps the conversation, so the last message alone is sent. A chat that stops reading, or
 * goes away, leaves the run running, and `resume` finds it again; `cancel` stops it. Errors are
 * LangwireClientErrors, with their code.
 */
export class LangwireChatTransport implements ChatTransport<LangwireUIMessage> {
  /** Resuming brings the answer from its beginning. */
  readonly resumeStreamIsReplay = true;
  readonly #options: ChatTransportOptions;
  readonly #conversationIds = new Map<string, string>();
  /** The run that each chat follows. */
  readonly #followed = new Map<string, FollowedRun>();

  constructor(options: ChatTransportOptions) {
    this.#options = options;
  }

  readonly sendMessages = async (sending: Sending): Promise<ReadableStream<LangwireChunk>> => {
    const { chatId, messages, abortSignal } = sending;
    const { client, botId, ifBusy } = this.#options;
    if (abortSignal?.aborted) throw abortSignal.reason;
    const given = lastGiven(messages);
    const conversationId = this.#conversationOf(chatId);
    const run = client.send({ botId, conversationId, ifBusy, ...given });
    return this.#stream(run, chatId, abortSignal);
  };

  readonly reconnectToStream = async (
    reconnecting: Reconnecting,
  ): Promise<ReadableStream<LangwireChunk> | null> => {
    const { chatId, abortSignal } = reconnecting;
    const conversationId = this.#conversationOf(chatId);
    // One that it follows may end while it is asked for, and still has to be brought to its end.
    const runId = this.#followed.get(chatId)?.id ?? (await this.#runningRun(conversationId));
    if (runId === undefined || abortSignal?.aborted) return null;
    const run = this.#options.client.follow({ runId });
    return this.#stream(run, chatId, abortSignal);
  };

  /**
   * Stops the run in progress in a chat, for everybody, whether the chat still follows it or not. The AI SDK's own `stop` does not: it comes in
   * the same way when a component goes away, shows another chat or resumes a second time.
   */
  readonly cancel = async (chatId: string): Promise<void> => {
    const followed = this.#followed.get(chatId);
    if (followed !== undefined) {
      await followed.cancel();
      return;
    }
    const runId = await this.#runningRun(this.#conversationOf(chatId));
    if (runId !== undefined) await this.#options.client.cancel(runId);
  };

  async #runningRun(conversationId: string): Promise<string | undefined> {
    try {
      return (await this.#options.client.conversations.get({ conversationId })).runningRunId;
    } catch (cause) {
      const error = toClientError(cause);
      if (error.code === "NOT_FOUND") return undefined;
      throw error;
    }
  }

  #conversationOf(chatId: string): string {
    const { conversationId } = this.#options;
    if (conversationId !== undefined) return conversationId(chatId);
    if (uuidShape.test(chatId)) return chatId;
    const made = this.#conversationIds.get(chatId) ?? uuid();
    this.#conversationIds.set(chatId, made);
    return made;
  }

  #stream(run: FollowedRun, chatId: string, signal?: AbortSignal): ReadableStream<LangwireChunk> {
    this.#followed.set(chatId, run);
    const leave = () => run.detach();
    signal?.addEventListener("abort", leave, { once: true });
    void run.ended
      .catch(() => {})
      .then(() => {
        signal?.removeEventListener("abort", leave);
        if (this.#followed.get(chatId) === run) this.#followed.delete(chatId);
      });
    const chunks = chunksOf(run);
    return new ReadableStream<LangwireChunk>(
      {
        async pull(controller) {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: leave,
      },
      // An error discards what is queued, so nothing is.
      { highWaterMark: 0 },
    );
  }
}

export function createChatTransport<B extends Bots = AnyBots>(
  options: ChatTransportOptions<B>,
): LangwireChatTransport {
  // The types of bots are the compiler's alone.
  const given: object = options;
  return new LangwireChatTransport(given as ChatTransportOptions);
}

async function* chunksOf(run: FollowedRun): AsyncGenerator<LangwireChunk, undefined> {
  const chunks = new UiChunks();
  for await (const event of run) {
    yield* chunks.add(event);
    if (event.type !== "runEnd" || event.status !== "failed") continue;
    const failure = event.error ?? { code: "INTERNAL", message: "The run failed." };
    throw new LangwireClientError({ ...failure, partialText: event.text });
  }
  // One that is left ends without its end, and that is no answer.
  await run.ended;
}

/** What the last message of a person is to a bot: a text, or to a typed bot the value of its one `data-input`. */
function lastGiven(
  messages: readonly LangwireUIMessage[],
): { readonly message: string } | { readonly input: Json } {
  const parts = messages.findLast(({ role }) => role === "user")?.parts ?? [];
  const [first, ...others] = parts;
  if (first?.type === "data-input" && others.length === 0) return { input: first.data as Json };
  const texts = parts.map((part) => {
    if (part.type === "text") return part.text;
    const message = `A bot takes text, or one part of type data-input, and no part of type ${part.type}.`;
    throw new LangwireClientError({ code: "BAD_INPUT", message });
  });
  return { message: texts.join("\n") };
}
