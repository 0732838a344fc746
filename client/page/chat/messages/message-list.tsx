import type { ChatMessage } from "langwire-client/react";
import { useState } from "react";
import { DownIcon } from "../../elements/icons.tsx";
import { words } from "../../language/words.ts";
import { type MessageActions, MessageGroup } from "./message-group.tsx";
import { inGroups } from "./message-groups.ts";
import { useStickToEnd } from "./use-stick-to-end.ts";

interface MessageListProps extends MessageActions {
  readonly messages: readonly ChatMessage[];
  readonly botTitle: string;
  readonly userId: string;
  readonly hasEarlier: boolean;
  /** Whether a message can be sent, so that trying again makes sense. */
  readonly isReady: boolean;
  readonly onLoadEarlier: () => void;
}

export function MessageList(props: MessageListProps) {
  const { messages, hasEarlier, isReady, onLoadEarlier, ...shared } = props;
  const sending = messages.findLast(({ status }) => status === "sending");
  const { scroller, content, isAtEnd, toEnd } = useStickToEnd(sending?.id);
  const retryableId = isReady ? messages.at(-1)?.id : undefined;
  const groups = inGroups(messages, useAnchor(messages));
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
          {groups.map((group, index) => (
            <MessageGroup
              key={group.key}
              {...shared}
              messages={group.messages}
              isEarlier={group.key < 0}
              isLast={index === groups.length - 1}
              retryableId={index === groups.length - 1 ? retryableId : undefined}
            />
          ))}
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

/** @returns the message that was first when the list was first shown, or, where it has gone, the first now */
function useAnchor(messages: readonly ChatMessage[]): string | undefined {
  const [anchorId, setAnchorId] = useState(messages[0]?.id);
  if (messages.some(({ id }) => id === anchorId)) return anchorId;
  const firstId = messages[0]?.id;
  if (firstId !== anchorId) setAnchorId(firstId);
  return firstId;
}
