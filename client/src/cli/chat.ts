/** The chat on the command line: `langwire chat "message"`. */
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { createClient } from "../client.ts";
import { type ChatArguments, parseArguments, usageOf } from "./arguments.ts";
import { exitCodes, painter, Session } from "./session.ts";

const wrongUsage = 2;
const { stdin, stdout, stderr } = process;

/**
 * @param args of the command line, behind the command's name
 * @param command that name, for the help
 * @returns the exit code
 */
export async function chat(args: readonly string[], command: string): Promise<number> {
  const misused = (problem: string): number => {
    stderr.write(`${problem}\nSee ${command} --help.\n`);
    return wrongUsage;
  };
  let options: ChatArguments;
  try {
    options = parseArguments(args);
  } catch (error) {
    return misused(error instanceof Error ? error.message : String(error));
  }
  if (options.help) {
    stdout.write(usageOf(command));
    return exitCodes.completed;
  }
  stdout.on("error", leave);
  const message = options.message === "-" ? (await text(stdin)).trimEnd() : options.message;
  return message === "" ? misused("The message is empty.") : await talk({ ...options, message });
}

async function talk(options: ChatArguments): Promise<number> {
  const { url, token, user, message, input, json } = options;
  const conversationId = options.conversation ?? randomUUID();
  await using client = createClient({
    url,
    ...(token === undefined ? {} : { token }),
    ...(user === undefined ? {} : { userId: user }),
  });
  const session = new Session({
    client,
    url,
    botId: options.bot,
    conversationId,
    isNew: options.conversation === undefined,
    json,
    verbose: options.verbose,
    stdout,
    stderr,
  });
  const interrupt = () => {
    if (!session.interrupt()) process.exit(exitCodes.cancelled);
  };
  process.on("SIGINT", interrupt);
  const sent = input === undefined ? message && { message } : { input };
  if (options.history) {
    const exitCode = await session.showHistory();
    if (exitCode !== exitCodes.completed || !sent) return exitCode;
  }
  if (!sent) return await converse(session, interrupt);
  const exitCode = await session.send(sent);
  if (!json && options.conversation === undefined && stderr.isTTY) {
    stderr.write(painter(stderr)("dim", `To go on: --conversation ${conversationId}\n`));
  }
  return exitCode;
}

/** A message a line, until the input ends. */
async function converse(session: Session, interrupt: () => void): Promise<number> {
  const lines = createInterface({
    input: stdin,
    output: stdin.isTTY ? stdout : undefined,
    prompt: painter(stdout)("bold", "you: "),
  });
  // On a terminal, readline takes Ctrl-C for itself.
  lines.on("SIGINT", interrupt);
  let exitCode: number = exitCodes.completed;
  if (stdin.isTTY) lines.prompt();
  for await (const line of lines) {
    if (line.trim() !== "") exitCode = await session.send({ message: line });
    if (stdin.isTTY) lines.prompt();
  }
  if (stdin.isTTY) stdout.write("\n");
  return stdin.isTTY ? exitCodes.completed : exitCode;
}

/** Whoever read the output, such as `head`, has had enough. */
function leave({ code }: NodeJS.ErrnoException): never {
  process.exit(code === "EPIPE" ? exitCodes.completed : exitCodes.failed);
}
