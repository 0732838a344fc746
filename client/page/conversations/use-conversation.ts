import type { Conversation, LangwireClient } from "langwire-client";
import { LangwireClientError } from "langwire-client";
import { useCallback, useEffect, useRef, useState } from "react";
import { untilAnswered } from "../until-answered.ts";

export type Opened =
  /** With `error` while the server refuses it for the moment; it is asked again. */
  | { readonly state: "opening"; readonly error?: LangwireClientError }
  | { readonly state: "open"; readonly conversation: Conversation }
  | { readonly state: "failed"; readonly error: LangwireClientError };

export interface OpenConversation {
  readonly opened: Opened;
  refresh(): Promise<void>;
}

/**
 * A conversation by its id; one that is shared and not yet joined is joined. One that is open stays so
 * until the server says that it is gone: a refusal that may pass says nothing about it.
 */
export function useConversation(
  client: LangwireClient,
  conversationId: string | undefined,
): OpenConversation {
  const [opened, setOpened] = useState<Opened>({ state: "opening" });
  const asking = useRef(new AbortController());
  const refresh = useCallback(async () => {
    // Only the latest question counts.
    asking.current.abort();
    asking.current = new AbortController();
    const { signal } = asking.current;
    if (conversationId === undefined) return;
    const ask = async () => {
      const conversation = await getOrJoin(client, conversationId);
      if (!signal.aborted) setOpened({ state: "open", conversation });
    };
    await untilAnswered(ask, {
      signal,
      onRefused: (error) => setOpened((before) => afterRefusal(before, error)),
    });
  }, [client, conversationId]);
  useEffect(() => {
    setOpened({ state: "opening" });
    void refresh();
    return () => asking.current.abort();
  }, [refresh]);
  return { opened, refresh };
}

function afterRefusal(before: Opened, error: LangwireClientError): Opened {
  if (before.state === "open" && error.code !== "NOT_FOUND") return before;
  return { state: error.retryable ? "opening" : "failed", error };
}

async function getOrJoin(client: LangwireClient, conversationId: string): Promise<Conversation> {
  try {
    return await client.conversations.get({ conversationId });
  } catch (error) {
    const unknown = error instanceof LangwireClientError && error.code === "NOT_FOUND";
    if (!unknown) throw error;
    return client.conversations.join({ conversationId });
  }
}
