/** The operator's command: `langwire admin list`. It talks to a running server, but for `restore`. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { json } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { LangwireError } from "../../protocol/errors.ts";
import { readDotEnv, withOwnPort } from "../server-url.ts";
import { WrongUsage } from "../wrong-usage.ts";
import { commandOf, type Request, type Restore, usage } from "./arguments.ts";
import { refusal } from "./refusal.ts";

type AnswerBody = ReadableStream<Uint8Array>;

async function main(args: readonly string[], token: string | undefined): Promise<void> {
  const command = commandOf(args);
  if (command === "help") {
    process.stdout.write(usage);
    return;
  }
  if ("backup" in command) {
    await restore(command);
    return;
  }
  if (!token) throw new WrongUsage("ADMIN_TOKEN is not set. It is the server's, here too.");
  const { inLines, saveTo } = command;
  const answered = () => ask(command, token);
  if (saveTo !== undefined) await save(answered, saveTo);
  else if (inLines) await pipeline(await answered(), process.stdout, { end: false });
  else process.stdout.write(`${JSON.stringify(await json(await answered()), null, 2)}\n`);
}

async function ask({ url, method, body }: Request, token: string): Promise<AnswerBody> {
  const answer = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  }).catch((cause: unknown) => {
    throw new Error(`No server answers at ${url.origin}: --url says where it is.`, { cause });
  });
  if (!answer.ok || answer.body === null) {
    throw new Error(refusal(answer.status, await answer.text(), url.origin));
  }
  return answer.body;
}

/** Whole, or not at all. The server is not asked where the file cannot be made. */
async function save(answered: () => Promise<AnswerBody>, path: string): Promise<void> {
  const file = createWriteStream(path, { flags: "wx", mode: 0o600, flush: true });
  try {
    await once(file, "open");
  } catch (cause) {
    throw new Error(`${path} ${whyNotMade(cause)}`, { cause });
  }
  try {
    await pipeline(await answered(), file);
  } catch (cause) {
    file.destroy();
    await rm(path, { force: true });
    throw cause;
  }
}

function whyNotMade(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  switch (code) {
    case "EEXIST":
      return "is there already: a backup goes into a new file.";
    case "ENOENT":
      return "cannot be made: its folder is not there.";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "cannot be made: its folder may not be written to.";
    default:
      return `cannot be made: ${reasonOf(cause)}`;
  }
}

async function restore({ backup, overwrite }: Restore): Promise<void> {
  const { DATABASE_URL, DATA_DIR } = process.env;
  if (DATABASE_URL) {
    throw new WrongUsage("DATABASE_URL is set: put its database back with pg_restore.");
  }
  // Only here: the other commands need nothing of what this one is made of.
  const { settings } = await import("../../config/settings.ts");
  const { restoreBackup } = await import("../../open/restore-backup.ts");
  const dataDir = settings.shape.DATA_DIR.parse(DATA_DIR || undefined);
  await restoreBackup({ backup, dataDir, overwrite });
  process.stdout.write(`${JSON.stringify({ restored: backup, into: dataDir })}\n`);
}

function reasonOf(error: unknown): string {
  const reason = error instanceof LangwireError ? (error.cause ?? error) : error;
  return reason instanceof Error ? reason.message : String(reason);
}

/** @param args behind the command's own name */
export async function admin(args: readonly string[]): Promise<void> {
  try {
    readDotEnv();
    await main(withOwnPort(args, "http://127.0.0.1:3000"), process.env.ADMIN_TOKEN);
  } catch (error) {
    const isUsage = error instanceof WrongUsage;
    process.stderr.write(`${reasonOf(error)}\n${isUsage ? "See langwire admin --help.\n" : ""}`);
    process.exitCode = isUsage ? 2 : 1;
  }
}
