import type { Conversation, LangwireClient } from "langwire-client";
import { useState } from "react";
import { CopyButton } from "../copy-button.tsx";
import { Dialog } from "../dialog.tsx";
import { messageOf } from "../message-of.ts";
import { conversationLink } from "../route.ts";

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
    <Dialog title="Share this conversation" onClose={onClose}>
      <p>
        {shared
          ? "Whoever has this link can join, read along as it happens, and write."
          : "So far it is yours alone. Sharing makes a link; whoever has it can join, read along as it happens, and write."}
      </p>
      {shared && (
        <div className="link">
          <input
            readOnly
            aria-label="Link"
            value={conversationLink(conversationId)}
            onFocus={(event) => event.target.select()}
          />
          <CopyButton label="Copy link" text={conversationLink(conversationId)} />
        </div>
      )}
      {problem !== undefined && <p role="alert">{problem}</p>}
      <div className="buttons">
        {owned && shared && (
          <button type="button" className="danger" onClick={() => void change("unshare")}>
            Stop sharing
          </button>
        )}
        <button type="button" onClick={onClose}>
          Close
        </button>
        {owned && !shared && (
          <button type="button" className="primary" onClick={() => void change("share")}>
            Make a link
          </button>
        )}
      </div>
    </Dialog>
  );
}
