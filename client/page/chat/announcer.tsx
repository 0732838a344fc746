import type { ChatMessage, ChatStatus } from "langwire-client/react";
import { useEffect, useRef, useState } from "react";
import { errorText, words } from "../language/words.ts";

interface AnnouncerProps {
  readonly messages: readonly ChatMessage[];
  readonly status: ChatStatus;
  readonly botTitle: string;
}

/** An answer longer than this is announced, but not read out as a whole. */
const spokenLength = 400;

/** Says to a screen reader that an answer begins and what it came to, and not a word in between. */
export function Announcer({ messages, status, botTitle }: AnnouncerProps) {
  const [announced, setAnnounced] = useState("");
  const previous = useRef(status);
  const last = messages.at(-1);
  useEffect(() => {
    if (status === previous.current) return;
    if (status === "streaming") setAnnounced(words.isAnswering(botTitle));
    if (status === "ready" && previous.current !== "loading") setAnnounced(outcome(last, botTitle));
    previous.current = status;
  }, [status, last, botTitle]);
  return (
    <p className="visually-hidden" role="status" aria-label={words.progress}>
      {announced}
    </p>
  );
}

function outcome(last: ChatMessage | undefined, botTitle: string): string {
  if (last === undefined) return "";
  if (last.error !== undefined) return words.errorIs(errorText(last.error));
  if (last.status === "cancelled") return words.wasStopped(botTitle);
  if (last.text.length <= spokenLength) return words.said({ bot: botTitle, text: last.text });
  return words.hasAnswered(botTitle);
}
