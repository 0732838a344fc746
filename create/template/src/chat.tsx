import { createClient } from "langwire-client";
import { useChat, useConnection } from "langwire-client/react";
import { type KeyboardEvent, type SubmitEvent, useEffect, useRef, useState } from "react";
import { currentConversationId, newConversation } from "./conversation-id.ts";
import { Message } from "./message.tsx";

/** One client for the whole application: its hooks share a socket. */
const client = createClient({ url: new URL("/trpc", window.location.href).href });

export function Chat() {
  const [conversationId, setConversationId] = useState(currentConversationId);
  const chat = useChat({ client, botId: "assistant", conversationId });
  const { state } = useConnection(client);
  const isAtWork = chat.status === "streaming" || chat.status === "submitted";
  const end = useRef<HTMLDivElement>(null);
  const last = chat.messages.at(-1);
  useEffect(() => {
    if (last !== undefined) end.current?.scrollIntoView({ block: "end" });
  }, [last]);

  return (
    <div className="chat">
      <header>
        <h1>Assistant</h1>
        {state === "connecting" && <span role="status">Connecting…</span>}
        <button type="button" onClick={() => setConversationId(newConversation())}>
          New conversation
        </button>
      </header>
      <main>
        {chat.messages.length === 0 && chat.status === "ready" && (
          <p className="hint">Ask something, such as “What time is it in Tokyo?”</p>
        )}
        {chat.messages.map((message) => (
          <Message key={message.id} message={message} />
        ))}
        {chat.error !== undefined && <p role="alert">{chat.error.message}</p>}
        <div ref={end} />
      </main>
      <Composer
        isAtWork={isAtWork}
        // What is refused is shown by `chat.error`.
        onSend={(text) => void chat.send(text).catch(() => {})}
        onStop={() => void chat.stop().catch(() => {})}
      />
    </div>
  );
}

interface ComposerProps {
  readonly isAtWork: boolean;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
}

function Composer({ isAtWork, onSend, onStop }: ComposerProps) {
  const [text, setText] = useState("");
  const submit = (event: SubmitEvent | KeyboardEvent) => {
    event.preventDefault();
    if (isAtWork || text.trim() === "") return;
    onSend(text);
    setText("");
  };
  const submitOnEnter = (event: KeyboardEvent) => {
    // While an input method composes (Japanese, say), Enter is its own.
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
  };
  return (
    <form onSubmit={submit}>
      <textarea
        aria-label="Message"
        placeholder="Write a message"
        rows={1}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={submitOnEnter}
      />
      {isAtWork ? (
        <button type="button" onClick={onStop}>
          Stop
        </button>
      ) : (
        <button type="submit" disabled={text.trim() === ""}>
          Send
        </button>
      )}
    </form>
  );
}
