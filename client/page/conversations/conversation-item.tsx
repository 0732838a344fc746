import type { Conversation } from "langwire-client";
import { type FormEvent, type KeyboardEvent, useRef, useState } from "react";
import { isComposing } from "../composing.ts";
import { LeaveIcon, PencilIcon, ShareIcon, TrashIcon } from "../icons.tsx";
import { plainLine } from "../plain-line.ts";
import { conversationAddress } from "../route.ts";
import { useFocus } from "../use-focus.ts";

interface ConversationItemProps {
  readonly conversation: Conversation;
  readonly isCurrent: boolean;
  readonly onOpen: () => void;
  readonly onRename: (title: string) => Promise<void>;
  readonly onRemove: () => void;
}

const titleLength = 200;

export function ConversationItem(props: ConversationItemProps) {
  const { conversation, isCurrent, onOpen, onRename, onRemove } = props;
  const { conversationId, owned, shared } = conversation;
  const title = plainLine(conversation.title);
  const [isRenaming, setRenaming] = useState(false);
  const renameButton = useRef<HTMLButtonElement>(null);
  const stopRenaming = () => {
    setRenaming(false);
    // The button is drawn again in the place of the field.
    requestAnimationFrame(() => renameButton.current?.focus());
  };
  if (isRenaming)
    return <RenameField title={conversation.title} onRename={onRename} onDone={stopRenaming} />;
  return (
    <li className="conversation">
      <a
        href={conversationAddress(conversationId)}
        aria-current={isCurrent ? "page" : undefined}
        onClick={onOpen}
      >
        <bdi className="title">{title}</bdi>
        {shared && (
          <span className="mark" title={owned ? "Shared by you" : "Shared with you"}>
            <ShareIcon />
            <span className="visually-hidden">{owned ? "shared by you" : "shared with you"}</span>
          </span>
        )}
      </a>
      <span className="actions">
        {owned && (
          <button
            ref={renameButton}
            type="button"
            aria-label={`Rename ${title}`}
            onClick={() => setRenaming(true)}
          >
            <PencilIcon />
          </button>
        )}
        <button
          type="button"
          aria-label={owned ? `Delete ${title}` : `Leave ${title}`}
          onClick={onRemove}
        >
          {owned ? <TrashIcon /> : <LeaveIcon />}
        </button>
      </span>
    </li>
  );
}

interface RenameFieldProps {
  readonly title: string;
  readonly onRename: (title: string) => Promise<void>;
  readonly onDone: () => void;
}

function RenameField({ title, onRename, onDone }: RenameFieldProps) {
  const [wanted, setWanted] = useState(title);
  const field = useFocus<HTMLInputElement>();
  const isOver = useRef(false);
  const finish = (outcome: "keep" | "rename") => {
    if (isOver.current) return;
    isOver.current = true;
    const next = wanted.trim();
    // A name that the server refuses is not kept, and the list shows that.
    if (outcome === "rename" && next !== "" && next !== title) void onRename(next).catch(() => {});
    onDone();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    finish("rename");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !isComposing(event)) finish("keep");
  };
  return (
    <li className="conversation">
      <form onSubmit={submit}>
        <input
          ref={field}
          aria-label="Title of the conversation"
          maxLength={titleLength}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          onFocus={(event) => event.target.select()}
          onKeyDown={onKeyDown}
          onBlur={() => finish("rename")}
        />
      </form>
    </li>
  );
}
