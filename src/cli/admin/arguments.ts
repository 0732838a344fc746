/** Parses the command line into the request that it makes. */
import { parseArgs } from "node:util";
import type { PruneInput } from "../../server/admin/admin-conversations.ts";
import { WrongUsage } from "../wrong-usage.ts";

export const usage = `Usage: langwire admin [options] <command>, or in a checkout npm run admin -- …

  list                      the runs in progress
  show <runId>              one of them, with its message
  cancel <runId>            stops it, and waits for its end
  follow <runId>            its events, one a line, to its end

  export <conversationId>   all that is stored of it, one line each: the conversation,
                            its members, its runs, each with its events
  prune --older-than <age>  deletes the conversations that were last active longer ago
                            than that (90d, 12h, 30m), and lists them, one a line;
                            those with a run in progress stay

  export-user <userId>      all that is kept of a user, one line each: the conversations
                            that they own, whole; their memberships in others; what
                            they have sent there
  delete-user <userId>      erases it, and lists what, one a line: those conversations
                            are deleted, those memberships end, what was sent there is
                            emptied with its answers

  backup <file>             all that is kept, as it is at one moment, into a new file
  restore <file>            puts it into DATA_DIR; no server may be using that

  --dry-run                 with prune: deletes nothing, and lists what it would delete
  --overwrite               with restore: replaces the database that is there
  --url <url>               the server (http://127.0.0.1:3000, or PORT)
  --help                    this text

The server's ADMIN_TOKEN has to be set, and given here in the variable of the same
name, or in .env; restore asks no server, and needs none. Answers are JSON; nothing is printed of a
user who has nothing. Exit codes: 0 done, 1 refused, broken off or not reached, 2 wrong
usage.
`;

export interface Request {
  readonly url: URL;
  readonly method: "GET" | "POST";
  /** Sent as JSON. */
  readonly body?: PruneInput;
  /** Whether the answer is a JSON value a line; else it is one. */
  readonly inLines: boolean;
  /** A new file for the answer, which is otherwise printed. */
  readonly saveTo?: string;
}

/** Works on the data folder itself, without a server. */
export interface Restore {
  readonly backup: string;
  readonly overwrite: boolean;
}

/** @throws WrongUsage */
export function commandOf(args: readonly string[]): Request | Restore | "help" {
  const { help, url, positionals, overwrite, ...options } = read(args);
  if (help) return "help";
  const { "older-than": age, "dry-run": dryRun } = options;
  if (positionals[0] !== "prune" && (age !== undefined || dryRun !== undefined)) {
    throw new WrongUsage("--older-than and --dry-run belong to prune.");
  }
  if (positionals[0] === "restore") {
    const [, backup, ...more] = positionals;
    if (backup === undefined || more.length > 0) throw new WrongUsage("It is: restore <file>");
    return { backup, overwrite: overwrite ?? false };
  }
  if (overwrite !== undefined) throw new WrongUsage("--overwrite belongs to restore.");
  const { path, ...request } = requestOf(positionals, options);
  if (!URL.canParse(path, url)) throw new WrongUsage(`--url is not a URL: ${url}`);
  return { url: new URL(path, url), ...request };
}

function read(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: "string", default: "http://127.0.0.1:3000" },
        "older-than": { type: "string" },
        "dry-run": { type: "boolean" },
        overwrite: { type: "boolean" },
        help: { type: "boolean", default: false, short: "h" },
      },
    });
    return { ...values, positionals };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    // Behind it stands how an argument is given that begins with a dash.
    const [first = reason] = reason.split(". ");
    throw new WrongUsage(`${first.replace(/\.$/, "")}.`);
  }
}

interface Options {
  readonly "older-than"?: string | undefined;
  readonly "dry-run"?: boolean | undefined;
}

/** The commands that are about one run, conversation, user or file, and how that is named. */
const onOne: ReadonlyMap<string, string> = new Map([
  ["show", "runId"],
  ["cancel", "runId"],
  ["follow", "runId"],
  ["export", "conversationId"],
  ["export-user", "userId"],
  ["delete-user", "userId"],
  ["backup", "file"],
]);

function requestOf(
  [command, id, ...more]: readonly string[],
  { "older-than": age, "dry-run": dryRun }: Options,
): Omit<Request, "url"> & { readonly path: string } {
  if (command === "prune") {
    if (id !== undefined) throw new WrongUsage(`prune takes no ${JSON.stringify(id)}.`);
    if (age === undefined) throw new WrongUsage("Older than what? --older-than says it.");
    const body = { olderThanMs: millisecondsOf(age), dryRun: dryRun ?? false };
    return { path: "/admin/prune", method: "POST", body, inLines: true };
  }
  if (command === undefined) throw new WrongUsage("Which command?");
  if (command === "list") {
    if (id !== undefined) throw new WrongUsage(`list takes no ${JSON.stringify(id)}.`);
    return { path: "/admin/runs", method: "GET", inLines: false };
  }
  const about = onOne.get(command);
  if (about === undefined) throw new WrongUsage(`No such command: ${command}`);
  if (id === undefined || more.length > 0) {
    throw new WrongUsage(`It is: ${command} <${about}>`);
  }
  const run = `/admin/runs/${encodeURIComponent(id)}`;
  switch (command) {
    case "show":
      return { path: run, method: "GET", inLines: false };
    case "cancel":
      return { path: `${run}/cancel`, method: "POST", inLines: false };
    case "follow":
      return { path: `${run}/events`, method: "GET", inLines: true };
    case "backup":
      return { path: "/admin/backup", method: "GET", inLines: false, saveTo: id };
    case "export-user":
      return { path: `/admin/users/${encodeURIComponent(id)}`, method: "GET", inLines: true };
    case "delete-user": {
      const path = `/admin/users/${encodeURIComponent(id)}/delete`;
      return { path, method: "POST", inLines: true };
    }
    case "export": {
      const path = `/admin/conversations/${encodeURIComponent(id)}`;
      return { path, method: "GET", inLines: true };
    }
    default:
      throw new WrongUsage(`No such command: ${command}`);
  }
}

const minuteMs = 60_000;
const unitsMs: Readonly<Record<string, number>> = {
  m: minuteMs,
  h: 60 * minuteMs,
  d: 24 * 60 * minuteMs,
};

function millisecondsOf(age: string): number {
  const [, count, unit = ""] = /^([1-9]\d*)([mhd])$/.exec(age) ?? [];
  const unitMs = unitsMs[unit];
  if (unitMs === undefined) throw new WrongUsage(`--older-than takes 90d, 12h or 30m, not ${age}.`);
  return Number(count) * unitMs;
}
