import type { ChatMessage } from "langwire-client/react";
import { useEffect, useRef, useState } from "react";
import { errorText, words } from "../language/words.ts";

interface AnnouncerProps {
  readonly messages: readonly ChatMessage[];
  readonly botTitle: string;
}

/** An answer longer than this is announced, but not read out as a whole. */
const spokenLength = 400;

/**
 * Says to a screen reader that an answer begins and what it came to, and not a word in between. It goes
 * by the run, and not by the state of the chat: a run may be over while the history is still loading.
 */
export function Announcer({ messages, botTitle }: AnnouncerProps) {
  const [announced, setAnnounced] = useState("");
  /** Of the run whose outcome is still to be said. What was over before is no news. */
  const awaitedRunId = useRef<string>(undefined);
  useEffect(() => {
    const inProgress = messages.findLast(isInProgress);
    if (inProgress !== undefined) {
      awaitedRunId.current = inProgress.runId;
      // Emptied while a message is on its way, so that what is said again is a change, and is heard.
      setAnnounced(inProgress.role === "ai" ? words.isAnswering(botTitle) : "");
    } else if (awaitedRunId.current !== undefined) {
      const last = messages.findLast(({ runId }) => runId === awaitedRunId.current);
      awaitedRunId.current = undefined;
      setAnnounced(last === undefined ? "" : outcomeOf(last, botTitle));
    }
  }, [messages, botTitle]);
  return (
    <p className="visually-hidden" role="status" aria-label={words.progress}>
      {announced}
    </p>
  );
}

function isInProgress({ status }: ChatMessage): boolean {
  return status === "sending" || status === "streaming";
}

function outcomeOf({ error, status, text }: ChatMessage, botTitle: string): string {
  if (error !== undefined) return words.errorIs(errorText(error));
  if (status === "cancelled") return words.wasStopped(botTitle);
  const isSpoken = text !== "" && text.length <= spokenLength;
  return isSpoken ? words.said({ bot: botTitle, text }) : words.hasAnswered(botTitle);
}
