import type { Json } from "langwire-client";
import { type FormEvent, type KeyboardEvent, useId } from "react";
import { isComposing } from "../browser/composing.ts";
import { useCoarsePointer } from "../browser/use-coarse-pointer.ts";
import { useFocus } from "../browser/use-focus.ts";
import { SendIcon, StopIcon } from "../elements/icons.tsx";
import { words } from "../language/words.ts";
import { type GivenKind, readGiven } from "./given.ts";

interface ComposerProps {
  readonly kind: GivenKind;
  readonly text: string;
  readonly onChange: (text: string) => void;
  /** Characters that the bot takes, where the server says so. */
  readonly maxLength: number | undefined;
  /** An answer is being made. */
  readonly isBusy: boolean;
  /** A message is on its way, so that the next one has to wait. */
  readonly isSending: boolean;
  readonly onSend: (given: Json) => void;
  readonly onStop: () => void;
}

export function Composer(props: ComposerProps) {
  const { kind, text, onChange, maxLength = Number.POSITIVE_INFINITY } = props;
  const { isBusy, isSending, onSend, onStop } = props;
  const field = useFocus<HTMLTextAreaElement>();
  const isCoarse = useCoarsePointer();
  const hintId = useId();
  const isInput = kind === "input";
  const given = readGiven(kind, text);
  const { length } = text.trim();
  const isTooLong = length > maxLength;
  const isWrong = isTooLong || given === "notJson";
  const canSend = !isBusy && !isSending && !isWrong && given !== "nothing";

  const send = (event?: FormEvent) => {
    event?.preventDefault();
    if (!canSend) return;
    onSend(given.value);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || isComposing(event)) return;
    const isAlwaysSent = event.ctrlKey || event.metaKey;
    if (!isAlwaysSent && (isInput || event.shiftKey || isCoarse)) return;
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
          className={kind}
          rows={1}
          dir={isInput ? "ltr" : "auto"}
          spellCheck={!isInput}
          enterKeyHint={isInput || isCoarse ? "enter" : "send"}
          aria-label={isInput ? words.input : words.message}
          aria-describedby={hintId}
          aria-invalid={isWrong}
          placeholder={isInput ? words.writeInput : words.writeMessage}
          value={text}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {isBusy ? (
          <button type="button" className="round" aria-label={words.stop} onClick={stop}>
            <StopIcon />
          </button>
        ) : (
          <button type="submit" className="round" aria-label={words.send} disabled={!canSend}>
            <SendIcon />
          </button>
        )}
      </div>
      <div id={hintId} className="hint faint">
        {isTooLong ? (
          <p role="alert" className="too-long">
            {words.tooLong({ length, maxLength })}
          </p>
        ) : given === "notJson" ? (
          <p role="status" className="too-long">
            {words.notJson}
          </p>
        ) : isSending ? (
          <p role="status">{words.messageOnItsWay}</p>
        ) : (
          <p>
            {isCoarse ? words.touchHint : isInput ? words.inputKeyboardHint : words.keyboardHint}
          </p>
        )}
      </div>
    </form>
  );
}
