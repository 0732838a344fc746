/** The package's command: `langwire start` and `langwire dev` serve; the others work beside a server. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Command, CommanderError } from "commander";
import { prepareCollector } from "../serve/memory/collector.ts";
import { npmLine } from "../serve/npm-line.ts";
import { WrongUsage } from "./wrong-usage.ts";

const exitCodes = { done: 0, failed: 1, wrongUsage: 2 } as const;

/** @param args of the command line, without the program's own */
export async function langwire(args: readonly string[]): Promise<void> {
  try {
    const program = commands(await version());
    await program.parseAsync(startMeant(program, args), { from: "user" });
  } catch (error) {
    leave(exitCodeOf(error));
  }
}

function commands(version: string): Command {
  const program = new Command("langwire")
    .description("LangChain.js on a typed wire: serves bots, and works beside their server.")
    .version(version, "-v, --version", "this package's version")
    .helpOption("-h, --help", "this text, or a command's own")
    .helpCommand("help [command]", "a command's own text")
    .showHelpAfterError()
    .enablePositionalOptions()
    .exitOverride();

  program
    .command("dev")
    .description("serves bots while they are written: loads anew what changes")
    .argument("[file]", fileOfBots)
    .option("--port <port>", "the port (3000)")
    .option("--no-open", "does not open the page in a browser")
    .action(async (file: string | undefined, options: { port?: string; open: boolean }) => {
      const startedBy = npmLine();
      prepareCollector();
      const { dev } = await import("./dev/dev.ts");
      await dev({ program: file, port: options.port, startedBy, open: options.open });
    });

  program
    .command("start")
    .description("serves bots (what langwire without a command does)")
    .argument("[file]", fileOfBots)
    .option("--port <port>", "the port (3000)")
    .option("--page <folder>", "the page to serve, as it was built, in place of Langwire's own")
    .action(async (file: string | undefined, options: { port?: string; page?: string }) => {
      const startedBy = npmLine();
      prepareCollector();
      const { start } = await import("./start.ts");
      await start({ program: file, port: options.port, startedBy, pageDir: options.page });
    });

  program
    .command("init")
    .description("makes a small project: a bot, its test, a React page")
    .argument("[folder]", "where; without it, the current folder")
    .option("--force", "writes into a folder that is not empty, over files of the same names")
    .action(async (folder: string | undefined, options: { force?: true }) => {
      const { init } = await import("./init.ts");
      await init({ folder: folder ?? ".", force: options.force ?? false });
    });

  program
    .command("types")
    .description("writes the types of a program's bots as a declaration, for clients elsewhere")
    .argument("<file>", "a module that exports bots")
    .option("--out <file>", "the declaration; without it, it is printed")
    .option("--check", "writes nothing, and fails where the file is not what would be written")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 not up to date, or the file cannot be used, 2 wrong usage.",
    )
    .action(async (module: string, options: { out?: string; check?: true }) => {
      const { types } = await import("./types/command.ts");
      await types({ module, out: options.out, check: options.check ?? false });
      leave(exitCodes.done);
    });

  withOwnArguments(program, "chat")
    .description("talks to a bot of a running server")
    .action(async (_args, _options, { args }: Command) => {
      const { chat } = await import("./chat.ts");
      process.exitCode = await chat(args);
    });

  withOwnArguments(program, "admin")
    .description("runs, conversations and users of a running server, backups")
    .action(async (_args, _options, { args }: Command) => {
      const { admin } = await import("./admin/command.ts");
      await admin(args);
    });

  program.addHelpText(
    "after",
    `\nSettings are variables of the environment; .env of the current folder is read, too.`,
  );
  return program;
}

const fileOfBots =
  "a module that exports bots, a langgraph.json, or a folder with one; without it, the current folder's langgraph.json or bots.ts";

/** A command that reads what follows it by itself. */
function withOwnArguments(program: Command, name: string): Command {
  return program
    .command(name)
    .argument("[args...]", `langwire ${name} --help`)
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions();
}

/** Without a command, and with a file in a command's place, it is `start`. */
function startMeant({ commands }: Command, args: readonly string[]): string[] {
  const [first] = args;
  const isFile =
    first !== undefined && !commands.some((one) => one.name() === first) && existsSync(first);
  return first === undefined || isFile ? ["start", ...args] : [...args];
}

/** Tells what went wrong, where that has not been told. */
function exitCodeOf(error: unknown): number {
  // Its own code for wrong usage is that of failures here.
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage;
  }
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof WrongUsage ? exitCodes.wrongUsage : exitCodes.failed;
}

/** A program's modules may have opened what would keep the process: it ends when the work is done. */
function leave(exitCode: number): void {
  process.stdout.write("", () => process.exit(exitCode));
}

async function version(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
