/** The list of a caller's conversations. The server does not publish its changes, so it is reloaded. */
import type { Conversation, LangwireClient } from "langwire-client";
import { useCallback, useEffect, useRef, useState } from "react";
import { untilAnswered } from "../until-answered.ts";

export interface Conversations {
  /** Undefined until the first answer. */
  readonly items: readonly Conversation[] | undefined;
  readonly hasMore: boolean;
  refresh(): Promise<void>;
  loadMore(): Promise<void>;
  rename(conversationId: string, title: string): Promise<void>;
  /** Deletes one's own, leaves somebody else's. */
  remove(conversation: Conversation): Promise<void>;
}

interface Pages {
  readonly items: readonly Conversation[];
  readonly nextCursor?: string | undefined;
}

export function useConversations(client: LangwireClient): Conversations {
  const [pages, setPages] = useState<Pages>();
  const asking = useRef(new AbortController());

  const refresh = useCallback(async () => {
    // Only the latest answer counts: an earlier question may be answered later.
    asking.current.abort();
    asking.current = new AbortController();
    const { signal } = asking.current;
    const ask = async () => {
      const page = await client.conversations.list();
      if (!signal.aborted) setPages(page);
    };
    await untilAnswered(ask, { signal, onRefused: nothingNew });
  }, [client]);

  useEffect(() => {
    setPages(undefined);
    void refresh();
    const onVisible = () => {
      if (document.visibilityState === "visible") void refresh();
    };
    document.addEventListener("visibilitychange", onVisible);
    window.addEventListener("focus", onVisible);
    return () => {
      asking.current.abort();
      document.removeEventListener("visibilitychange", onVisible);
      window.removeEventListener("focus", onVisible);
    };
  }, [refresh]);

  const cursor = pages?.nextCursor;
  return {
    items: pages?.items,
    hasMore: cursor !== undefined,
    refresh,
    loadMore: async () => {
      const page = await client.conversations.list({ cursor }).catch(nothingNew);
      if (page === undefined) return;
      // Asked for twice, or of another user's list by now, it does not join what is there.
      setPages((before) =>
        before !== undefined && before.nextCursor === cursor
          ? { ...page, items: [...before.items, ...page.items] }
          : before,
      );
    },
    rename: async (conversationId, title) => {
      const renamed = await client.conversations.rename({ conversationId, title });
      setPages((before) => before && { ...before, items: before.items.map(replacedBy(renamed)) });
    },
    remove: async ({ conversationId, owned }) => {
      const { conversations } = client;
      await (owned
        ? conversations.delete({ conversationId })
        : conversations.leave({ conversationId }));
      setPages(
        (before) => before && { ...before, items: before.items.filter(otherThan(conversationId)) },
      );
      void refresh();
    },
  };
}

function replacedBy(next: Conversation) {
  return (item: Conversation) => (item.conversationId === next.conversationId ? next : item);
}

function otherThan(conversationId: string) {
  return (item: Conversation) => item.conversationId !== conversationId;
}

/** What is wrong with the connection is shown elsewhere, and the list is asked for again. */
function nothingNew(): undefined {}
