import type { ChatError } from "langwire-client/react";
import { RetryIcon } from "../icons.tsx";
import { waitOf } from "../message-of.ts";

interface FailureProps {
  readonly error: ChatError;
  readonly onRetry: (() => void) | undefined;
}

/** Shows an error with its code, and a button to try again. */
export function Failure({ error, onRetry }: FailureProps) {
  return (
    <div className="failure">
      <p>
        {error.message}
        {waitOf(error)} <code>{error.code}</code>
      </p>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          <RetryIcon />
          Try again
        </button>
      )}
    </div>
  );
}
