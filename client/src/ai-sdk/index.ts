/** `langwire-client/ai-sdk`: Langwire under `useChat` of `@ai-sdk/react`. */
export {
  type ChatTransportOptions,
  createChatTransport,
  type LangwireChatTransport,
} from "./chat-transport.ts";
export { closeOpenParts } from "./open-parts.ts";
export type { LangwireMetadata, LangwireUIMessage } from "./ui-chunks.ts";
export { toUIMessages } from "./ui-messages.ts";
