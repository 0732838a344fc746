import { type FormEvent, type KeyboardEvent, useId, useState } from "react";
import { isComposing } from "../composing.ts";
import { SendIcon, StopIcon } from "../icons.tsx";
import { useFocus } from "../use-focus.ts";

interface ComposerProps {
  readonly isBusy: boolean;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
}

export function Composer({ isBusy, onSend, onStop }: ComposerProps) {
  const [text, setText] = useState("");
  const field = useFocus<HTMLTextAreaElement>();
  const hintId = useId();
  const canSend = !isBusy && text.trim() !== "";

  const send = (event?: FormEvent) => {
    event?.preventDefault();
    if (!canSend) return;
    onSend(text.trim());
    setText("");
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    send();
  };
  const stop = () => {
    onStop();
    // The button is about to become another one; the field stays.
    field.current?.focus();
  };
  return (
    <form className="composer" onSubmit={send}>
      <div className="composer-box">
        <textarea
          ref={field}
          id="message-field"
          rows={1}
          aria-label="Message"
          aria-describedby={hintId}
          placeholder="Write a message"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {isBusy ? (
          <button type="button" className="round" aria-label="Stop" onClick={stop}>
            <StopIcon />
          </button>
        ) : (
          <button type="submit" className="round" aria-label="Send" disabled={!canSend}>
            <SendIcon />
          </button>
        )}
      </div>
      <p id={hintId} className="hint faint">
        Enter sends, Shift + Enter begins a new line.
      </p>
    </form>
  );
}
