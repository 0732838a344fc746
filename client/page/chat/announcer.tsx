import type { ChatMessage, ChatStatus } from "langwire-client/react";
import { useEffect, useRef, useState } from "react";

interface AnnouncerProps {
  readonly messages: readonly ChatMessage[];
  readonly status: ChatStatus;
  readonly botTitle: string;
}

/** An answer longer than this is announced, but not read out as a whole. */
const spokenLength = 400;

/** Says to a screen reader that an answer begins and what it came to, and not a word in between. */
export function Announcer({ messages, status, botTitle }: AnnouncerProps) {
  const [words, setWords] = useState("");
  const previous = useRef(status);
  const last = messages.at(-1);
  useEffect(() => {
    if (status === previous.current) return;
    if (status === "streaming") setWords(`${botTitle} is answering.`);
    if (status === "ready" && previous.current !== "loading") setWords(outcome(last, botTitle));
    previous.current = status;
  }, [status, last, botTitle]);
  return (
    <p className="visually-hidden" role="status" aria-label="Progress">
      {words}
    </p>
  );
}

function outcome(last: ChatMessage | undefined, botTitle: string): string {
  if (last === undefined) return "";
  if (last.error !== undefined) return `Error: ${last.error.message}`;
  if (last.status === "cancelled") return `${botTitle} was stopped.`;
  if (last.text.length <= spokenLength) return `${botTitle}: ${last.text}`;
  return `${botTitle} has answered.`;
}
