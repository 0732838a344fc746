import type { HumanMessage } from "langwire-client/react";
import { memo } from "react";
import { PencilIcon } from "../../elements/icons.tsx";
import { Value } from "../../elements/value.tsx";
import { plainLine } from "../../language/plain-line.ts";
import { words } from "../../language/words.ts";
import { PlainText } from "../../markdown/plain-text.tsx";
import { Failure } from "./failure.tsx";

interface HumanItemProps {
  readonly message: HumanMessage;
  readonly isOwn: boolean;
  readonly isRetryable: boolean;
  readonly onRetry: () => void;
  readonly onTakeBack: (message: HumanMessage) => void;
}

export const HumanItem = memo(
  ({ message, isOwn, isRetryable, onRetry, onTakeBack }: HumanItemProps) => {
    const { text, parts, userId, status, error } = message;
    const [given] = parts;
    return (
      <li className="human" data-own={isOwn} data-status={status}>
        <p className={isOwn ? "author visually-hidden" : "author"}>
          {isOwn ? words.you : <bdi>{plainLine(userId ?? "")}</bdi>}
        </p>
        <div className="bubble" dir="auto">
          {given?.type === "data" ? <Value value={given.value} /> : <PlainText text={text} />}
        </div>
        {error !== undefined && (
          <Failure error={error} onRetry={isRetryable ? onRetry : undefined}>
            <button type="button" onClick={() => onTakeBack(message)}>
              <PencilIcon />
              {words.edit}
            </button>
          </Failure>
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
