import type { BotInfo, Conversation } from "langwire-client";
import { type ReactNode, useState } from "react";
import { botNamed } from "../bots/bot-named.ts";
import { PlusIcon } from "../elements/icons.tsx";
import icon from "../icon.svg";
import { words } from "../language/words.ts";
import { ConversationItem } from "./conversation-item.tsx";
import { RemoveDialog } from "./remove-dialog.tsx";
import type { Conversations } from "./use-conversations.ts";

interface SidebarProps {
  readonly conversations: Conversations;
  readonly bots: readonly BotInfo[];
  readonly currentId: string | undefined;
  readonly onNew: () => void;
  readonly onOpen: () => void;
  readonly footer: ReactNode;
}

export function Sidebar(props: SidebarProps) {
  const { conversations, bots, currentId, onNew, onOpen, footer } = props;
  const [removing, setRemoving] = useState<Conversation>();
  const { items, hasMore, loadMore, rename, remove } = conversations;
  const isOneBot = new Set([...bots.map(({ id }) => id), ...botIdsOf(items)]).size < 2;
  const confirmRemoval = async (conversation: Conversation) => {
    await remove(conversation);
    if (conversation.conversationId === currentId) onNew();
  };
  return (
    <>
      <p className="brand">
        <img src={icon} alt="" width="28" height="28" />
        Langwire
      </p>
      <button type="button" className="new" onClick={onNew}>
        <PlusIcon />
        {words.newConversation}
      </button>
      <nav aria-label={words.conversations}>
        {items?.length === 0 && <p className="faint">{words.noConversations}</p>}
        <ul>
          {items?.map((conversation) => (
            <ConversationItem
              key={conversation.conversationId}
              conversation={conversation}
              botTitle={isOneBot ? undefined : botNamed(bots, conversation.botId).title}
              isCurrent={conversation.conversationId === currentId}
              onOpen={onOpen}
              onRename={(title) => rename(conversation.conversationId, title)}
              onRemove={() => setRemoving(conversation)}
            />
          ))}
        </ul>
        {hasMore && (
          <button type="button" className="quiet" onClick={() => void loadMore()}>
            {words.showMore}
          </button>
        )}
      </nav>
      {footer}
      {removing !== undefined && (
        <RemoveDialog
          conversation={removing}
          onConfirm={() => confirmRemoval(removing)}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </>
  );
}

function botIdsOf(conversations: readonly Conversation[] = []): string[] {
  return conversations.map(({ botId }) => botId);
}
