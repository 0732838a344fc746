import type { HumanMessage } from "langwire-client/react";
import { memo } from "react";
import { Failure } from "./failure.tsx";

interface HumanItemProps {
  readonly message: HumanMessage;
  readonly isOwn: boolean;
  readonly isRetryable: boolean;
  readonly onRetry: () => void;
}

export const HumanItem = memo(
  ({ message, isOwn, isRetryable, onRetry }: HumanItemProps) => {
    const { text, userId, status, error } = message;
    return (
      <li className="human" data-own={isOwn} data-status={status}>
        <p className={isOwn ? "author visually-hidden" : "author"}>{isOwn ? "You" : userId}</p>
        <p className="bubble">{text}</p>
        {error !== undefined && (
          <Failure error={error} onRetry={isRetryable ? onRetry : undefined} />
        )}
      </li>
    );
  },
  (before, after) =>
    before.message === after.message &&
    before.isOwn === after.isOwn &&
    before.isRetryable === after.isRetryable,
);
HumanItem.displayName = "HumanItem";
