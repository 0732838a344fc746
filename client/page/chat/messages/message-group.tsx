import type { ChatMessage } from "langwire-client/react";
import { memo, useRef } from "react";
import { ErrorBoundary } from "../../elements/error-boundary.tsx";
import { words } from "../../language/words.ts";
import { PlainText } from "../../markdown/plain-text.tsx";
import { AnswerItem } from "./answer-item.tsx";
import { FarItem } from "./far-item.tsx";
import { HumanItem } from "./human-item.tsx";
import { useFar } from "./use-far.ts";

export interface MessageActions {
  readonly onRetry: () => void;
  readonly onLoadTrace: (runId: string) => Promise<void>;
  readonly onTakeBack: (message: ChatMessage) => void;
}

interface MessageGroupProps extends MessageActions {
  readonly messages: readonly ChatMessage[];
  readonly botTitle: string;
  readonly userId: string;
  /** The message that trying again makes sense of, where it is one of these. */
  readonly retryableId: string | undefined;
  /** Whether it is added out of sight. */
  readonly isEarlier: boolean;
  /** What is being made is always drawn. */
  readonly isLast: boolean;
}

/** Some messages of a long list, which are drawn anew where one of them changes. */
export const MessageGroup = memo(
  ({ messages, isEarlier, isLast, ...shared }: MessageGroupProps) => {
    const group = useRef<HTMLOListElement>(null);
    const isFar = useFar(group, isEarlier) && !isLast;
    return (
      <ol className="message-group" ref={group}>
        {messages.map((message) =>
          isFar ? (
            <FarItem key={message.id} message={message} />
          ) : (
            <NearItem key={message.id} message={message} {...shared} />
          ),
        )}
      </ol>
    );
  },
  (before, after) =>
    sameItems(before.messages, after.messages) &&
    before.botTitle === after.botTitle &&
    before.userId === after.userId &&
    before.retryableId === after.retryableId &&
    before.isLast === after.isLast,
);
MessageGroup.displayName = "MessageGroup";

type NearItemProps = Omit<MessageGroupProps, "messages" | "isEarlier" | "isLast"> & {
  readonly message: ChatMessage;
};

function NearItem({ message, botTitle, userId, retryableId, ...actions }: NearItemProps) {
  const isRetryable = message.id === retryableId;
  return (
    <ErrorBoundary of={message} fallback={<Undrawn text={message.text} />}>
      {message.role === "human" ? (
        <HumanItem
          message={message}
          isOwn={message.userId === undefined || message.userId === userId}
          isRetryable={isRetryable}
          onRetry={actions.onRetry}
          onTakeBack={actions.onTakeBack}
        />
      ) : (
        <AnswerItem
          message={message}
          botTitle={botTitle}
          isRetryable={isRetryable}
          onRetry={actions.onRetry}
          onLoadTrace={actions.onLoadTrace}
        />
      )}
    </ErrorBoundary>
  );
}

function sameItems<Item>(before: readonly Item[], after: readonly Item[]): boolean {
  return before.length === after.length && before.every((item, index) => item === after[index]);
}

/** A message that could not be drawn takes no other with it. */
function Undrawn({ text }: { readonly text: string }) {
  return (
    <li className="answer">
      <p className="faint">{words.undrawn}</p>
      <div className="written">
        <PlainText text={text} />
      </div>
    </li>
  );
}
