import type { Conversation, LangwireClient } from "langwire-client";
import { useState } from "react";
import { conversationLink } from "../browser/route.ts";
import { CopyButton } from "../elements/copy-button.tsx";
import { Dialog } from "../elements/dialog.tsx";
import { messageOf } from "../language/message-of.ts";
import { words } from "../language/words.ts";

interface ShareDialogProps {
  readonly client: LangwireClient;
  readonly conversation: Conversation;
  readonly onChange: () => void;
  readonly onClose: () => void;
}

export function ShareDialog({ client, conversation, onChange, onClose }: ShareDialogProps) {
  const { conversationId, owned, shared } = conversation;
  const [problem, setProblem] = useState<string>();
  const change = async (what: "share" | "unshare") => {
    setProblem(undefined);
    try {
      await client.conversations[what]({ conversationId });
      onChange();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <Dialog title={words.shareTitle} onClose={onClose}>
      <p>{shared ? words.whoeverHasLink : words.notShared}</p>
      {shared && (
        <div className="link">
          <input
            readOnly
            aria-label={words.link}
            value={conversationLink(conversationId)}
            onFocus={(event) => event.target.select()}
          />
          <CopyButton label={words.copyLink} text={conversationLink(conversationId)} />
        </div>
      )}
      {problem !== undefined && <p role="alert">{problem}</p>}
      <div className="buttons">
        {owned && shared && (
          <button type="button" className="danger" onClick={() => void change("unshare")}>
            {words.stopSharing}
          </button>
        )}
        <button type="button" onClick={onClose}>
          {words.close}
        </button>
        {owned && !shared && (
          <button type="button" className="primary" onClick={() => void change("share")}>
            {words.makeLink}
          </button>
        )}
      </div>
    </Dialog>
  );
}
