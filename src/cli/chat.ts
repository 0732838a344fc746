/** `langwire chat`: the chat of langwire-client, which is a package of its own. */
import { readDotEnv, withOwnPort } from "./server-url.ts";

interface ChatCommand {
  /** @returns the exit code */
  chat(args: readonly string[], command: string): Promise<number>;
}

/** Not by its name alone: it is not compiled together with this package. */
const clientsCommand = "langwire-client/cli";

export async function chat(args: readonly string[]): Promise<number> {
  readDotEnv();
  const { chat }: ChatCommand = await import(clientsCommand);
  return await chat(withOwnPort(args, "ws://127.0.0.1:3000/trpc"), "langwire chat");
}
