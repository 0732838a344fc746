import type { ChatMessage } from "langwire-client/react";
import { memo } from "react";
import { ErrorBoundary } from "../../elements/error-boundary.tsx";
import { words } from "../../language/words.ts";
import { PlainText } from "../../markdown/plain-text.tsx";
import { AnswerItem } from "./answer-item.tsx";
import { HumanItem } from "./human-item.tsx";

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
}

/** Some messages of a long list, which are drawn anew where one of them changes. */
export const MessageGroup = memo(
  ({ messages, botTitle, userId, retryableId, ...actions }: MessageGroupProps) => (
    <ol className="message-group">
      {messages.map((message) => (
        <ErrorBoundary key={message.id} of={message} fallback={<Undrawn text={message.text} />}>
          {message.role === "human" ? (
            <HumanItem
              message={message}
              isOwn={message.userId === undefined || message.userId === userId}
              isRetryable={message.id === retryableId}
              onRetry={actions.onRetry}
              onTakeBack={actions.onTakeBack}
            />
          ) : (
            <AnswerItem
              message={message}
              botTitle={botTitle}
              isRetryable={message.id === retryableId}
              onRetry={actions.onRetry}
              onLoadTrace={actions.onLoadTrace}
            />
          )}
        </ErrorBoundary>
      ))}
    </ol>
  ),
  (before, after) =>
    sameItems(before.messages, after.messages) &&
    before.botTitle === after.botTitle &&
    before.userId === after.userId &&
    before.retryableId === after.retryableId,
);
MessageGroup.displayName = "MessageGroup";

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
