import { useMemo, useState, useSyncExternalStore } from "react";
import type { AnyBots, BotId, Bots, TypesOfBot } from "../bot-types.ts";
import { createClient, type LangwireClient, type OfBots } from "../client.ts";
import type { Message } from "../types.ts";
import { uuid } from "../uuid.ts";
import { Chat } from "./chat.ts";
import type { UseChat } from "./chat-state.ts";

export type UseChatOptions<Id extends string = string, B extends Bots = AnyBots> = {
  readonly botId: Id;
  /** A UUID. Default: a new conversation, which begins with the first message. */
  readonly conversationId?: string | undefined;
  /** The newest messages, where they are known already: from rendering on a server, say. */
  readonly initialMessages?: readonly Message[] | undefined;
} & (
  | {
      /** Shared by all hooks of a page, so that they share one socket. */
      readonly client: LangwireClient & OfBots<B>;
    }
  | {
      /** Makes a client for this hook alone. */
      readonly url: string;
      readonly userId?: string | undefined;
    }
);

/**
 * A conversation with a bot: its messages, the answer while it is made, and what happens inside it.
 * Renders at most once an animation frame, however fast tokens come. A run goes on without the
 * component; one that mounts in the middle of an answer shows it from its start.
 * @typeParam B the server's bots, as `createClient` takes them. Inferred from the client; to be given with a `url`
 * @typeParam Id which of them this is: `useChat<typeof bots, "invoice">({ url, botId: "invoice" })`
 */
export function useChat<B extends Bots = AnyBots, Id extends BotId<B> = BotId<B>>(
  options: UseChatOptions<Id, B>,
): UseChat<TypesOfBot<B, Id>> {
  const { botId, initialMessages } = options;
  const client = useLazyClient(options);
  const [newConversationId] = useState(uuid);
  // The server's would be another: drawn before the browser has taken over, the two would not match.
  const drawnId = useSyncExternalStore(
    never,
    () => newConversationId,
    () => "",
  );
  const conversationId = options.conversationId ?? newConversationId;
  // The messages that a page begins with are no reason to begin again.
  const [firstMessages] = useState(() => ({ conversationId, initialMessages }));
  const chat = useMemo(() => {
    const isFirst = conversationId === firstMessages.conversationId;
    const known = isFirst ? firstMessages.initialMessages : undefined;
    return new Chat({ client, botId, conversationId, initialMessages: known });
  }, [client, botId, conversationId, firstMessages]);
  const state = useSyncExternalStore(chat.subscribe, chat.getState, chat.getServerState);
  const { send, stop, regenerate, loadEarlier, loadTrace } = chat;
  const shownId = options.conversationId ?? drawnId;
  const actions = { send, stop, regenerate, loadEarlier, loadTrace };
  const shown: UseChat = { ...state, conversationId: shownId, ...actions };
  // The types of bots are the compiler's alone.
  return shown as unknown as UseChat<TypesOfBot<B, Id>>;
}

/** Tells of no change, for what never changes. */
function never(): () => void {
  return () => {};
}

/** No client is made while rendering: strict mode renders twice, and a server needs none. */
function useLazyClient(options: UseChatOptions): () => LangwireClient {
  const given = "client" in options ? options.client : undefined;
  const { url, userId } = "url" in options ? options : { url: undefined, userId: undefined };
  return useMemo(() => {
    let made = given;
    return () => {
      made ??= createClient({ url: url ?? "", userId });
      return made;
    };
  }, [given, url, userId]);
}
