/**
 * The text of the message field. Nothing that a person wrote is lost: it is kept over reloads, and so
 * is a message until the server has accepted it.
 */
import type { ChatMessage } from "langwire-client/react";
import { useEffect, useRef, useState } from "react";
import { type DraftPlace, keepDraft, readDraft } from "./drafts.ts";

interface MessageField {
  readonly text: string;
  readonly setText: (text: string) => void;
  /** The messages without those that went back to the field. */
  readonly shown: readonly ChatMessage[];
  /** A message that the server did not take goes back to the field, before what is there by now. */
  readonly takeBack: (message: ChatMessage) => void;
}

export function useMessageField(place: DraftPlace, messages: readonly ChatMessage[]): MessageField {
  const { userId, conversationId } = place;
  const [text, setText] = useState(() => readDraft(place));
  const [takenBack, setTakenBack] = useState<ReadonlySet<string>>(new Set());
  const keptFor = useRef(conversationId);
  const shown = takenBack.size === 0 ? messages : messages.filter(({ id }) => !takenBack.has(id));
  const unaccepted = shown.filter(
    (message) => message.role === "human" && message.status !== "sent",
  );
  const draft = joined([...unaccepted.map((message) => message.text), text]);

  useEffect(() => {
    // A conversation that has begun has an id from then on.
    if (keptFor.current !== conversationId)
      keepDraft({ userId, conversationId: keptFor.current }, "");
    keptFor.current = conversationId;
    keepDraft({ userId, conversationId }, draft);
  }, [draft, userId, conversationId]);

  const takeBack = (message: ChatMessage) => {
    setTakenBack((before) => new Set([...before, message.id]));
    setText((now) => joined([message.text, now]));
    document.getElementById("message-field")?.focus();
  };
  return { text, setText, shown, takeBack };
}

function joined(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n\n");
}
