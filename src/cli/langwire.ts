/** The package's command: `langwire` starts the server; the others work beside one. */
import { readFile } from "node:fs/promises";
import { admin } from "./admin/command.ts";
import { types, typesUsage } from "./types/command.ts";
import { WrongUsage } from "./wrong-usage.ts";

const usage = `Usage: langwire [command]

  start              the server that ships, with its settings in the environment (default)
  types <module>     the types of a module's bots, as a declaration for clients
  admin <command>    runs, conversations and users of a running server, backups

  --version          this package's version
  --help             this text; of one command: langwire types --help, langwire admin --help
`;

/**
 * @param args of the command line, without the program's own
 * @param start starts the server
 */
export async function langwire(
  args: readonly string[],
  start: () => Promise<unknown>,
): Promise<void> {
  const [command = "start", ...rest] = args;
  switch (command) {
    case "types":
      return await ended(() => types(rest), typesUsage);
    case "admin":
      return await admin(rest);
    case "start":
      if (rest.length === 0) await start();
      else
        await ended(
          () => refuse(`start takes no ${rest.join(" ")}: settings are variables.`),
          usage,
        );
      return;
    case "--help":
    case "-h":
    case "help":
      process.stdout.write(usage);
      return;
    case "--version":
    case "-v":
      process.stdout.write(`${await version()}\n`);
      return;
    default:
      return await ended(() => refuse(`No such command: ${command}`), usage);
  }
}

async function refuse(why: string): Promise<never> {
  throw new WrongUsage(why);
}

async function version(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

/** A module's bots may have opened what would keep the process: it ends when the work is done. */
async function ended(work: () => Promise<void>, usage: string): Promise<void> {
  let exitCode = 0;
  try {
    await work();
  } catch (error) {
    const isUsage = error instanceof WrongUsage;
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${reason}\n${isUsage ? `\n${usage}` : ""}`);
    exitCode = isUsage ? 2 : 1;
  }
  process.stdout.write("", () => process.exit(exitCode));
}
