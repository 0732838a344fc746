import type { Conversation } from "langwire-client";
import { useState } from "react";
import { Dialog } from "../dialog.tsx";
import { messageOf } from "../message-of.ts";
import { plainLine, untitled } from "../plain-line.ts";

interface RemoveDialogProps {
  readonly conversation: Conversation;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

export function RemoveDialog({ conversation, onConfirm, onClose }: RemoveDialogProps) {
  const [problem, setProblem] = useState<string>();
  const { title, owned, shared } = conversation;
  const confirm = async () => {
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <Dialog
      title={owned ? "Delete this conversation?" : "Leave this conversation?"}
      onClose={onClose}
    >
      <p>
        <strong>
          <bdi>{plainLine(title, untitled)}</bdi>
        </strong>{" "}
        {owned
          ? `and everything in it will be gone${shared ? ", for everybody who has joined it" : ""}.`
          : "will leave your list. Its link lets you join it again."}
      </p>
      {problem !== undefined && <p role="alert">{problem}</p>}
      <div className="buttons">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="danger" onClick={() => void confirm()}>
          {owned ? "Delete" : "Leave"}
        </button>
      </div>
    </Dialog>
  );
}
