/** What a chat is given. */
import type { LangwireClient } from "../client.ts";
import type { Message, SendInput } from "../types.ts";

export interface ChatOptions {
  /** Called when a connection is first needed, never while rendering. */
  readonly client: () => LangwireClient;
  readonly botId: string;
  readonly conversationId: string;
  /** The newest messages, where they are known already: from rendering on a server, say. */
  readonly initialMessages?: readonly Message[] | undefined;
}

export type SendOptions = Pick<SendInput, "ifBusy">;
