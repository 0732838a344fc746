/** `langwire chat`: the chat of langwire-client, which is a package of its own. */

interface ChatCommand {
  /** @returns the exit code */
  chat(args: readonly string[], command: string): Promise<number>;
}

/** Not by its name alone: it is not compiled together with this package. */
const clientsCommand = "langwire-client/cli";

export async function chat(args: readonly string[]): Promise<number> {
  const { chat }: ChatCommand = await import(clientsCommand);
  return await chat(args, "langwire chat");
}
