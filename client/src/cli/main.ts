/** The chat on the command line, as `bin/langwire-chat.cjs` and `npm run chat` start it. */
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { createClient } from "../client.ts";
import { type ChatArguments, parseArguments, usage } from "./arguments.ts";
import { exitCodes, painter, Session } from "./session.ts";

const wrongUsage = 2;
const { stdin, stdout, stderr } = process;

async function main(options: ChatArguments): Promise<number> {
  const { url, token, user } = options;
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
    json: options.json,
    verbose: options.verbose,
    stdout,
    stderr,
  });
  const interrupt = () => {
    if (!session.interrupt()) process.exit(exitCodes.cancelled);
  };
  process.on("SIGINT", interrupt);
  if (options.history) {
    const exitCode = await session.showHistory();
    if (exitCode !== exitCodes.completed || options.message === undefined) return exitCode;
  }
  if (options.message === undefined) return await converse(session, interrupt);
  const message = options.message === "-" ? (await text(stdin)).trimEnd() : options.message;
  if (message === "") return misused("The message is empty.");
  const exitCode = await session.send(message);
  if (!options.json && options.conversation === undefined && stderr.isTTY) {
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
    if (line.trim() !== "") exitCode = await session.send(line);
    if (stdin.isTTY) lines.prompt();
  }
  if (stdin.isTTY) stdout.write("\n");
  return stdin.isTTY ? exitCodes.completed : exitCode;
}

/** Whoever read the output, such as `head`, has had enough. */
stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  process.exit(code === "EPIPE" ? exitCodes.completed : exitCodes.failed);
});

function misused(problem: string): number {
  stderr.write(`${problem}\n\n${usage}`);
  return wrongUsage;
}

function argumentsOrProblem(): ChatArguments | string {
  try {
    return parseArguments(process.argv.slice(2));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const options = argumentsOrProblem();
if (typeof options === "string") process.exitCode = misused(options);
else if (options.help) stdout.write(usage);
else process.exitCode = await main(options);
