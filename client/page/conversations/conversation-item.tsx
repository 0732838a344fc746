import type { Conversation } from "langwire-client";
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { isComposing } from "../browser/composing.ts";
import { conversationAddress } from "../browser/route.ts";
import { useFocus } from "../browser/use-focus.ts";
import { LeaveIcon, PencilIcon, ShareIcon, TrashIcon } from "../elements/icons.tsx";
import { messageOf } from "../language/message-of.ts";
import { plainLine } from "../language/plain-line.ts";
import { words } from "../language/words.ts";

interface ConversationItemProps {
  readonly conversation: Conversation;
  /** With whom it is, where that might be more than one. */
  readonly botTitle: string | undefined;
  readonly isCurrent: boolean;
  readonly onOpen: () => void;
  readonly onRename: (title: string) => Promise<void>;
  readonly onRemove: () => void;
}

const titleLength = 200;

export function ConversationItem(props: ConversationItemProps) {
  const { conversation, botTitle, isCurrent, onOpen, onRename, onRemove } = props;
  const { conversationId, owned, shared } = conversation;
  const title = plainLine(conversation.title, words.noTitle);
  const [isRenaming, setRenaming] = useState(false);
  const renameButton = useRef<HTMLButtonElement>(null);
  const wasRenaming = useRef(false);
  useEffect(() => {
    // The keyboard was in the field, which is gone; the button is in its place.
    const isNowhere = document.activeElement === document.body;
    if (wasRenaming.current && !isRenaming && isNowhere) renameButton.current?.focus();
    wasRenaming.current = isRenaming;
  }, [isRenaming]);
  if (isRenaming)
    return (
      <RenameField
        title={conversation.title}
        onRename={onRename}
        onDone={() => setRenaming(false)}
      />
    );
  return (
    <li className="conversation">
      <a
        href={conversationAddress(conversationId)}
        aria-current={isCurrent ? "page" : undefined}
        onClick={onOpen}
      >
        <span className="topic">
          <bdi className="title">{title}</bdi>
          {shared && (
            <span className="mark" title={owned ? words.sharedByYou : words.sharedWithYou}>
              <ShareIcon />
              <span className="visually-hidden">
                {owned ? words.sharedByYou : words.sharedWithYou}
              </span>
            </span>
          )}
        </span>
        {botTitle !== undefined && <bdi className="with-bot">{plainLine(botTitle)}</bdi>}
      </a>
      <span className="actions">
        {owned && (
          <button
            ref={renameButton}
            type="button"
            aria-label={words.rename(title)}
            onClick={() => setRenaming(true)}
          >
            <PencilIcon />
          </button>
        )}
        <button
          type="button"
          aria-label={owned ? words.deleteOne(title) : words.leaveOne(title)}
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
  const [problem, setProblem] = useState<string>();
  const field = useFocus<HTMLInputElement>();
  const isOver = useRef(false);
  const finish = async (outcome: "keep" | "rename") => {
    if (isOver.current) return;
    isOver.current = true;
    const next = wanted.trim();
    try {
      if (outcome === "rename" && next !== "" && next !== title) await onRename(next);
      onDone();
    } catch (error) {
      // What was written stays, to be tried again.
      setProblem(messageOf(error));
      isOver.current = false;
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void finish("rename");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !isComposing(event)) void finish("keep");
  };
  return (
    <li className="conversation">
      <form onSubmit={submit}>
        <input
          ref={field}
          aria-label={words.titleField}
          maxLength={titleLength}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          onFocus={(event) => event.target.select()}
          onKeyDown={onKeyDown}
          onBlur={() => void finish("rename")}
        />
        {problem !== undefined && <p role="alert">{problem}</p>}
      </form>
    </li>
  );
}
