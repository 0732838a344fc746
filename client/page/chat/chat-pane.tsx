import type { BotInfo, Conversation, LangwireClient } from "langwire-client";
import { type ReactNode, useState } from "react";
import { botNamed } from "../bots/bot-named.ts";
import { useConversation } from "../conversations/use-conversation.ts";
import { errorText, words } from "../language/words.ts";
import { ChatView } from "./chat-view.tsx";
import { PaneHeader } from "./pane-header.tsx";
import { Welcome } from "./welcome.tsx";

interface ChatPaneProps {
  readonly client: LangwireClient;
  readonly userId: string;
  readonly bots: readonly BotInfo[];
  /** Undefined for one that has not begun yet. */
  readonly conversationId: string | undefined;
  /** Whether it begins, or began, in this pane. */
  readonly isDraft: boolean;
  readonly onStarted: (conversationId: string) => void;
  readonly onActivity: () => void;
  readonly onNew: () => void;
  readonly menuButton: ReactNode;
}

/** The conversation that is open, or a new one, or why there is none. */
export function ChatPane(props: ChatPaneProps) {
  const { client, userId, bots, conversationId, isDraft, menuButton, onNew } = props;
  const { opened, refresh } = useConversation(client, conversationId);
  const [chosenBotId, setChosenBotId] = useState<string>();
  const conversation = opened.state === "open" ? opened.conversation : undefined;
  const bot = botOf(bots, conversation, chosenBotId);

  if (opened.state === "failed" && !isDraft) {
    const isGone = opened.error.code === "NOT_FOUND";
    return (
      <main className="pane">
        <PaneHeader
          client={client}
          menuButton={menuButton}
          title={isGone ? words.notFound : "Langwire"}
        />
        <div className="notice" role="alert">
          <p>{isGone ? words.notFoundReason : words.cannotOpen}</p>
          <p className="faint">{errorText(opened.error)}</p>
          <button type="button" className="primary" onClick={onNew}>
            {words.startNew}
          </button>
        </div>
      </main>
    );
  }
  if (bot === undefined || (conversation === undefined && !isDraft)) {
    return (
      <main className="pane">
        <PaneHeader client={client} menuButton={menuButton} title="Langwire" />
        <div className="notice faint" role="status">
          <p>{words.oneMoment}</p>
          {opened.state === "opening" && opened.error !== undefined && (
            <p>
              {errorText(opened.error)} <code>{opened.error.code}</code>
            </p>
          )}
        </div>
      </main>
    );
  }
  return (
    <ChatView
      client={client}
      userId={userId}
      bot={bot}
      conversationId={conversationId}
      conversation={conversation}
      menuButton={menuButton}
      onStarted={(id) => {
        if (isDraft && conversationId === undefined) props.onStarted(id);
      }}
      onActivity={() => {
        props.onActivity();
        void refresh();
      }}
      welcome={(send) => (
        <Welcome
          bots={conversation === undefined ? bots : [bot]}
          botId={bot.id}
          onChoose={setChosenBotId}
          onSend={send}
        />
      )}
    />
  );
}

function botOf(
  bots: readonly BotInfo[],
  conversation: Conversation | undefined,
  chosenBotId: string | undefined,
): BotInfo | undefined {
  const id = conversation?.botId ?? chosenBotId;
  return id === undefined ? bots[0] : botNamed(bots, id);
}
