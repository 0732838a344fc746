import type { BotInfo, Conversation, Json, LangwireClient } from "langwire-client";
import { useChat } from "langwire-client/react";
import { type ReactNode, useEffect, useEffectEvent, useMemo, useState } from "react";
import { Composer } from "../composer/composer.tsx";
import { blankFor, givenKind } from "../composer/given.ts";
import { useMessageField } from "../composer/use-message-field.ts";
import { ShareIcon } from "../elements/icons.tsx";
import { plainLine } from "../language/plain-line.ts";
import { errorText, words } from "../language/words.ts";
import { useSession } from "../session/session.ts";
import { Announcer } from "./announcer.tsx";
import { MessageList } from "./messages/message-list.tsx";
import { PaneHeader } from "./pane-header.tsx";
import { ShareDialog } from "./share-dialog.tsx";

interface ChatViewProps {
  readonly client: LangwireClient;
  readonly userId: string;
  readonly bot: BotInfo;
  readonly conversationId: string | undefined;
  /** Undefined until the first message has been accepted. */
  readonly conversation: Conversation | undefined;
  readonly menuButton: ReactNode;
  readonly onStarted: (conversationId: string) => void;
  /** Something happened that changes what the server says of the conversation. */
  readonly onActivity: () => void;
  readonly welcome: (send: (text: string) => void) => ReactNode;
}

export function ChatView(props: ChatViewProps) {
  const { client, userId, bot, conversation, menuButton, onStarted, onActivity } = props;
  const { info } = useSession();
  const [isSharing, setSharing] = useState(false);
  const given = props.conversationId === undefined ? {} : { conversationId: props.conversationId };
  const chat = useChat({ client, botId: bot.id, ...given });
  const { messages, status, conversationId } = chat;
  const isBusy = status === "streaming";
  const place = { userId, conversationId: props.conversationId };
  const blank = useMemo(() => blankFor(bot), [bot]);
  const { text, setText, clear, shown, takeBack } = useMessageField({ place, messages, blank });
  // The hook's promise is for programs; the state has the refusal as well.
  const send = (given: Json) => void chat.send(given).catch(() => {});
  const sendWritten = (given: Json) => {
    clear();
    send(given);
  };
  const retry = () => void chat.regenerate()?.catch(() => {});

  const last = messages.at(-1);
  const answerStatus = last?.role === "ai" ? last.status : undefined;
  const reportRun = useEffectEvent(() => {
    onStarted(conversationId);
    onActivity();
  });
  useEffect(() => {
    if (answerStatus !== undefined) reportRun();
  }, [answerStatus]);
  const title = conversation?.title ?? words.newConversation;
  useEffect(() => {
    document.title =
      conversation === undefined ? "Langwire" : `${plainLine(title, words.noTitle)} – Langwire`;
  }, [conversation, title]);

  const isEmpty = shown.length === 0 && status !== "loading";
  const problem = last?.error === undefined ? chat.error : undefined;
  return (
    <main className="pane">
      <PaneHeader client={client} menuButton={menuButton} title={title} subtitle={bot.title}>
        {conversation !== undefined && (
          <button type="button" className="quiet" onClick={() => setSharing(true)}>
            <ShareIcon />
            {conversation.shared ? words.shared : words.share}
          </button>
        )}
      </PaneHeader>
      {isEmpty ? (
        props.welcome(send)
      ) : (
        <MessageList
          messages={shown}
          botTitle={bot.title}
          userId={info?.user?.userId ?? userId}
          hasEarlier={chat.hasEarlier}
          isReady={status === "ready"}
          onLoadEarlier={() => void chat.loadEarlier()}
          onRetry={retry}
          onLoadTrace={chat.loadTrace}
          onTakeBack={takeBack}
        />
      )}
      {problem !== undefined && (
        <p className="problem" role="alert">
          {errorText(problem)} <code>{problem.code}</code>
        </p>
      )}
      <Composer
        kind={givenKind(bot)}
        text={text}
        onChange={setText}
        maxLength={bot.maxMessageLength}
        isBusy={isBusy}
        isSending={status === "submitted"}
        onSend={sendWritten}
        onStop={() => void chat.stop()}
      />
      <Announcer messages={messages} botTitle={bot.title} />
      {isSharing && conversation !== undefined && (
        <ShareDialog
          client={client}
          conversation={conversation}
          onChange={onActivity}
          onClose={() => setSharing(false)}
        />
      )}
    </main>
  );
}
