import { createClient } from "langwire-client";
import { useChat } from "langwire-client/react";
import { type FormEvent, useState } from "react";

/** One client for the whole application: its hooks share a socket. */
const client = createClient({ url: new URL("/trpc", window.location.href).href });

export function ChatWindow({ conversationId }: { readonly conversationId: string }) {
  const chat = useChat({ client, botId: "chat", conversationId });
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // What is refused is shown by `chat.error`.
    void chat.send(text).catch(() => {});
    setText("");
  };
  return (
    <main>
      <ol>
        {chat.messages.map(({ id, role, text, status }) => (
          <li key={id}>
            <strong>{role === "human" ? "You" : "Bot"}</strong> ({status}): {text}
          </li>
        ))}
      </ol>
      {chat.error !== undefined && <p role="alert">{chat.error.message}</p>}
      <form onSubmit={submit}>
        <input
          aria-label="Message"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {chat.status === "streaming" ? (
          <button type="button" onClick={() => void chat.stop()}>
            Stop
          </button>
        ) : (
          <button type="submit" disabled={text === ""}>
            Send
          </button>
        )}
      </form>
    </main>
  );
}
