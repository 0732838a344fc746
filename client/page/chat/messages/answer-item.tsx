import type { AiMessage } from "langwire-client/react";
import { memo } from "react";
import { CopyButton } from "../../elements/copy-button.tsx";
import { RetryIcon } from "../../elements/icons.tsx";
import { Value } from "../../elements/value.tsx";
import { clockText } from "../../language/formats.ts";
import { words } from "../../language/words.ts";
import { MessageParts } from "../../parts/message-parts.tsx";
import { usageText } from "../../trace/figures.ts";
import { Trace } from "../../trace/trace.tsx";
import { Failure } from "./failure.tsx";

interface AnswerItemProps {
  readonly message: AiMessage;
  readonly botTitle: string;
  readonly isRetryable: boolean;
  readonly onRetry: () => void;
  /** Brings what happened inside a run that was over before. */
  readonly onLoadTrace: (runId: string) => Promise<void>;
}

export const AnswerItem = memo(
  ({ message, botTitle, isRetryable, onRetry, onLoadTrace }: AnswerItemProps) => {
    const { status, parts, output, error } = message;
    const isStreaming = status === "streaming";
    const retry = isRetryable ? onRetry : undefined;
    return (
      <li className="answer" data-status={status}>
        <p className="author">{botTitle}</p>
        <Trace message={message} onLoad={onLoadTrace} />
        <MessageParts parts={parts} isStreaming={isStreaming} />
        {output !== undefined && <Value value={output} />}
        {isStreaming && <p className="writing" aria-hidden="true" />}
        {status === "cancelled" && <p className="stopped faint">{words.stoppedHere}</p>}
        {error !== undefined && <Failure error={error} onRetry={retry} />}
        {!isStreaming && <AnswerFooter message={message} onRetry={retry} />}
      </li>
    );
  },
  (before, after) =>
    before.message === after.message &&
    before.botTitle === after.botTitle &&
    before.isRetryable === after.isRetryable,
);
AnswerItem.displayName = "AnswerItem";

interface AnswerFooterProps {
  readonly message: AiMessage;
  readonly onRetry: (() => void) | undefined;
}

function AnswerFooter({ message, onRetry }: AnswerFooterProps) {
  const { text, at, usage, error } = message;
  return (
    <footer className="answer-footer faint">
      {text !== "" && <CopyButton label={words.copy} text={text} />}
      {onRetry !== undefined && error === undefined && (
        <button type="button" className="quiet" onClick={onRetry}>
          <RetryIcon />
          {words.askAgain}
        </button>
      )}
      <span>
        <time dateTime={at}>{clockText(at)}</time>
        {usage !== undefined && ` · ${usageText(usage)}`}
      </span>
    </footer>
  );
}
