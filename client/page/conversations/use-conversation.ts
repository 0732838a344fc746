import type { Conversation, LangwireClient } from "langwire-client";
import { LangwireClientError } from "langwire-client";
import { useCallback, useEffect, useState } from "react";

export type Opened =
  | { readonly state: "opening" }
  | { readonly state: "open"; readonly conversation: Conversation }
  | { readonly state: "failed"; readonly error: LangwireClientError };

export interface OpenConversation {
  readonly opened: Opened;
  refresh(): Promise<void>;
}

/** A conversation by its id; one that is shared and not yet joined is joined. */
export function useConversation(
  client: LangwireClient,
  conversationId: string | undefined,
): OpenConversation {
  const [opened, setOpened] = useState<Opened>({ state: "opening" });
  const refresh = useCallback(async () => {
    if (conversationId === undefined) return;
    try {
      const conversation = await getOrJoin(client, conversationId);
      setOpened({ state: "open", conversation });
    } catch (error) {
      if (error instanceof LangwireClientError) setOpened({ state: "failed", error });
      else throw error;
    }
  }, [client, conversationId]);
  useEffect(() => {
    setOpened({ state: "opening" });
    void refresh();
  }, [refresh]);
  return { opened, refresh };
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
