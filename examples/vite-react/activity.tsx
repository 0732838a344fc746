import { skipToken, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSubscription } from "@trpc/tanstack-react-query";
import { useState } from "react";
import { trpc } from "./api.ts";

/** A query and a subscription: the caller's conversations, and what happens in one of them. */
export function Activity({ conversationId }: { readonly conversationId: string }) {
  const queries = useQueryClient();
  const [seen, setSeen] = useState<readonly string[]>([]);
  const conversations = useQuery(
    trpc.conversations.list.queryOptions({ limit: 20 }, { refetchInterval: 1_000 }),
  );
  const exists = conversations.data?.items.some((item) => item.conversationId === conversationId);
  const watching = useSubscription(
    trpc.chat.watch.subscriptionOptions(exists ? { conversationId, lastEventId: "0" } : skipToken, {
      onData: ({ data }) => {
        setSeen((before) => (before.at(-1) === data.type ? before : [...before, data.type]));
        if (data.type !== "runEnd") return;
        void queries.invalidateQueries(trpc.conversations.list.queryFilter());
      },
    }),
  );
  return (
    <aside>
      <h2>Conversations</h2>
      <ul>
        {conversations.data?.items.map(({ conversationId: id, title }) => (
          <li key={id}>{title}</li>
        ))}
      </ul>
      <h2>Events ({watching.status})</h2>
      <p>{seen.join(" → ")}</p>
    </aside>
  );
}
