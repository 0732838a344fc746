import type { ChatMessage } from "langwire-client/react";
import { ErrorBoundary } from "../error-boundary.tsx";
import { DownIcon } from "../icons.tsx";
import { words } from "../language/words.ts";
import { PlainText } from "../markdown/plain-text.tsx";
import { AnswerItem } from "./answer-item.tsx";
import { HumanItem } from "./human-item.tsx";
import { useStickToEnd } from "./use-stick-to-end.ts";

interface MessageListProps {
  readonly messages: readonly ChatMessage[];
  readonly botTitle: string;
  readonly userId: string;
  readonly hasEarlier: boolean;
  /** Whether a message can be sent, so that trying again makes sense. */
  readonly isReady: boolean;
  readonly onLoadEarlier: () => void;
  readonly onRetry: () => void;
  readonly onLoadTrace: (runId: string) => Promise<void>;
  readonly onTakeBack: (message: ChatMessage) => void;
}

export function MessageList(props: MessageListProps) {
  const { messages, botTitle, userId, hasEarlier, isReady } = props;
  const { onLoadEarlier, onRetry, onLoadTrace, onTakeBack } = props;
  const sending = messages.findLast(({ status }) => status === "sending");
  const { scroller, content, isAtEnd, toEnd } = useStickToEnd(sending?.id);
  const lastId = messages.at(-1)?.id;
  return (
    <div className="scroll-frame">
      <section className="scroller" ref={scroller} aria-label={words.messages}>
        <div className="messages" ref={content}>
          {hasEarlier && (
            <>
              <button type="button" className="quiet earlier" onClick={onLoadEarlier}>
                {words.earlierMessages}
              </button>
              <p className="print-only faint">{words.earlierNotLoaded}</p>
            </>
          )}
          <ol>
            {messages.map((message) => {
              const isRetryable = isReady && message.id === lastId;
              return (
                <ErrorBoundary
                  key={message.id}
                  of={message}
                  fallback={<Undrawn text={message.text} />}
                >
                  {message.role === "human" ? (
                    <HumanItem
                      message={message}
                      isOwn={message.userId === undefined || message.userId === userId}
                      isRetryable={isRetryable}
                      onRetry={onRetry}
                      onTakeBack={onTakeBack}
                    />
                  ) : (
                    <AnswerItem
                      message={message}
                      botTitle={botTitle}
                      isRetryable={isRetryable}
                      onRetry={onRetry}
                      onLoadTrace={onLoadTrace}
                    />
                  )}
                </ErrorBoundary>
              );
            })}
          </ol>
        </div>
      </section>
      {!isAtEnd && (
        <button type="button" className="to-end" aria-label={words.toLatest} onClick={toEnd}>
          <DownIcon />
        </button>
      )}
    </div>
  );
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
