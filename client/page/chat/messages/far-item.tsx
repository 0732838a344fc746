import type { ChatMessage } from "langwire-client/react";
import { memo } from "react";
import { PlainText } from "../../markdown/plain-text.tsx";
import { tooMany } from "../../markdown/reading/parts.ts";

/**
 * A message out of sight: its words, which can be searched for and are read out, and nothing around them.
 * Of ten thousand messages, each element is gone through by every collection of garbage.
 */
export const FarItem = memo(({ message }: { readonly message: ChatMessage }) => {
  const { role, text } = message;
  return (
    <li className={role === "human" ? "human far" : "answer far"}>
      {text.length > tooMany ? <PlainText text={text} /> : text}
    </li>
  );
});
FarItem.displayName = "FarItem";
