import type { ChatMessage } from "langwire-client/react";

/** A message is made of parts, in order: texts, and the tools that ran between them. */
export function Message({ message }: { readonly message: ChatMessage }) {
  const isWaiting = message.role === "ai" && message.status === "streaming";
  return (
    <article className={message.role} aria-busy={isWaiting}>
      {message.parts.map((part, at) => {
        switch (part.type) {
          case "text":
            return (
              <p key={keyOf(part, at)} className={part.final ? "answer" : "step"}>
                {part.text}
              </p>
            );
          case "tool":
            return (
              <p key={keyOf(part, at)} className="tool" data-state={part.state}>
                {part.name}
              </p>
            );
          default:
            return null;
        }
      })}
      {isWaiting && message.parts.length === 0 && <p className="waiting">…</p>}
      {message.status === "cancelled" && <p className="step">Stopped.</p>}
      {message.error !== undefined && <p role="alert">{message.error.message}</p>}
    </article>
  );
}

/** Parts are only added at the end, so each stays where it is. */
function keyOf({ type }: ChatMessage["parts"][number], at: number): string {
  return `${at} ${type}`;
}
