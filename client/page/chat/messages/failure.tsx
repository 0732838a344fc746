import type { ChatError } from "langwire-client/react";
import { type ReactNode, useEffect, useState } from "react";
import { FailureDetail } from "../../elements/failure-detail.tsx";
import { RetryIcon } from "../../elements/icons.tsx";
import { waitOf } from "../../language/message-of.ts";
import { errorText, words } from "../../language/words.ts";
import { mayAskAgain } from "./asking-again.ts";

interface FailureProps {
  readonly error: ChatError;
  /** Offered where asking again makes sense, from then on when the server says that it does. */
  readonly onRetry: (() => void) | undefined;
  /** What else can be done about it. */
  readonly children?: ReactNode;
}

/** Shows an error with its code, and what can be done about it. */
export function Failure({ error, onRetry, children }: FailureProps) {
  const isDue = useDue(error.retryAfterMs ?? 0);
  return (
    <div className="failure">
      <p>
        {errorText(error)}
        {isDue ? "" : waitOf(error)} <code>{error.code}</code>
      </p>
      <div className="failure-actions">
        {children}
        {onRetry !== undefined && mayAskAgain(error) && (
          <button type="button" disabled={!isDue} onClick={onRetry}>
            <RetryIcon />
            {error.retryable ? words.tryAgain : words.askAgain}
          </button>
        )}
      </div>
      <FailureDetail detail={error.detail} />
    </div>
  );
}

function useDue(waitMs: number): boolean {
  const [isDue, setDue] = useState(waitMs === 0);
  useEffect(() => {
    if (waitMs === 0) return;
    const timer = setTimeout(() => setDue(true), waitMs);
    return () => clearTimeout(timer);
  }, [waitMs]);
  return isDue;
}
