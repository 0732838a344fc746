import { useChat } from "@ai-sdk/react";
import { createClient, type Message } from "langwire-client";
import { createChatTransport, type LangwireUIMessage, toUIMessages } from "langwire-client/ai-sdk";

const client = createClient({ url: "wss://chat.example.com/trpc" });
const transport = createChatTransport({ client, botId: "agent", ifBusy: undefined });

export function Room({ id, history }: { id: string; history: Message[] }) {
  const messages = toUIMessages(history);
  const chat = useChat<LangwireUIMessage>({ id, transport, messages, resume: true });
  return <p>{chat.messages.map(({ metadata }) => metadata?.runId)}</p>;
}
