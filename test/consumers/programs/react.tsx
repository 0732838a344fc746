import { createClient } from "langwire-client";
import { useChat, useConnection } from "langwire-client/react";

const client = createClient({ url: "wss://chat.example.com/trpc" });

export function Room({ conversationId }: { conversationId: string | undefined }) {
  const chat = useChat({ client, botId: "chat", conversationId, initialMessages: undefined });
  const { state } = useConnection(client);
  return (
    <button type="button" onClick={() => void chat.send("Hello", { ifBusy: undefined })}>
      {chat.status} {state}
      {chat.messages.map((message) => (
        <b key={message.id}>{message.role === "ai" ? message.steps.length : message.text}</b>
      ))}
    </button>
  );
}
