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
  /** As it was before anybody wrote. */
  readonly clear: () => void;
  /** The messages without those that went back to the field. */
  readonly shown: readonly ChatMessage[];
  /** A message that the server did not take goes back to the field, before what is there by now. */
  readonly takeBack: (message: ChatMessage) => void;
}

interface MessageFieldOptions {
  readonly place: DraftPlace;
  readonly messages: readonly ChatMessage[];
  /** What is in it as long as nobody has written: of a typed bot, the shape of what it takes. */
  readonly blank: string;
}

export function useMessageField({ place, messages, blank }: MessageFieldOptions): MessageField {
  const { userId, conversationId } = place;
  const [written, setText] = useState(() => readDraft(place) || undefined);
  const [takenBack, setTakenBack] = useState<ReadonlySet<string>>(new Set());
  const keptFor = useRef(conversationId);
  const shown = takenBack.size === 0 ? messages : messages.filter(({ id }) => !takenBack.has(id));
  const unaccepted = shown.filter(
    (message) => message.role === "human" && message.status !== "sent",
  );
  const draft = joined([...unaccepted.map((message) => message.text), written ?? ""], blank);

  useEffect(() => {
    // A conversation that has begun has an id from then on.
    if (keptFor.current !== conversationId)
      keepDraft({ userId, conversationId: keptFor.current }, "");
    keptFor.current = conversationId;
    keepDraft({ userId, conversationId }, draft);
  }, [draft, userId, conversationId]);

  const takeBack = (message: ChatMessage) => {
    setTakenBack((before) => new Set([...before, message.id]));
    setText((now = "") => joined([message.text, now], blank));
    document.getElementById("message-field")?.focus();
  };
  return { text: written ?? blank, setText, clear: () => setText(undefined), shown, takeBack };
}

/** Of inputs the first alone: several are not one. */
function joined(texts: readonly string[], blank: string): string {
  const all = texts.filter((text) => text !== "" && text !== blank);
  return blank === "" ? all.join("\n\n") : (all[0] ?? "");
}
