import type { Conversation } from "langwire-client";
import { useState } from "react";
import { Dialog } from "../elements/dialog.tsx";
import { messageOf } from "../language/message-of.ts";
import { plainLine } from "../language/plain-line.ts";
import { words } from "../language/words.ts";

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
    <Dialog title={owned ? words.deleteQuestion : words.leaveQuestion} onClose={onClose}>
      <p>
        <strong>
          <bdi>{plainLine(title, words.noTitle)}</bdi>
        </strong>
        {owned ? words.deleteConsequence({ isShared: shared }) : words.leaveConsequence}
      </p>
      {problem !== undefined && <p role="alert">{problem}</p>}
      <div className="buttons">
        <button type="button" onClick={onClose}>
          {words.cancel}
        </button>
        <button type="button" className="danger" onClick={() => void confirm()}>
          {owned ? words.delete : words.leave}
        </button>
      </div>
    </Dialog>
  );
}
