import { type FormEvent, type KeyboardEvent, type ReactNode, useId } from "react";
import { isComposing } from "../composing.ts";
import { SendIcon, StopIcon } from "../icons.tsx";
import { useCoarsePointer } from "../use-coarse-pointer.ts";
import { useFocus } from "../use-focus.ts";

interface ComposerProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
  /** Characters that the bot takes, where the server says so. */
  readonly maxLength: number | undefined;
  /** An answer is being made. */
  readonly isBusy: boolean;
  /** A message is on its way, so that the next one has to wait. */
  readonly isSending: boolean;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
}

export function Composer(props: ComposerProps) {
  const { text, onChange, maxLength = Number.POSITIVE_INFINITY } = props;
  const { isBusy, isSending, onSend, onStop } = props;
  const field = useFocus<HTMLTextAreaElement>();
  const isCoarse = useCoarsePointer();
  const hintId = useId();
  const message = text.trim();
  const isTooLong = message.length > maxLength;
  const canSend = !isBusy && !isSending && !isTooLong && message !== "";

  const send = (event?: FormEvent) => {
    event?.preventDefault();
    if (!canSend) return;
    onSend(message);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || isComposing(event)) return;
    const isAlwaysSent = event.ctrlKey || event.metaKey;
    if (!isAlwaysSent && (event.shiftKey || isCoarse)) return;
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
          dir="auto"
          enterKeyHint={isCoarse ? "enter" : "send"}
          aria-label="Message"
          aria-describedby={hintId}
          aria-invalid={isTooLong}
          placeholder="Write a message"
          value={text}
          onChange={(event) => onChange(event.target.value)}
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
      <div id={hintId} className="hint faint">
        {isTooLong ? (
          <TooLong length={message.length} maxLength={maxLength} />
        ) : isSending ? (
          <p role="status">Your message is on its way; the next one can be sent after it.</p>
        ) : (
          <p>{isCoarse ? touchHint : keyboardHint}</p>
        )}
      </div>
    </form>
  );
}

const keyboardHint = "Enter sends, Shift + Enter begins a new line.";
const touchHint = "Enter begins a new line, the button sends.";

function TooLong({ length, maxLength }: { length: number; maxLength: number }): ReactNode {
  return (
    <p role="alert" className="too-long">
      Too long to send: {length.toLocaleString()} of {maxLength.toLocaleString()} characters.
    </p>
  );
}
