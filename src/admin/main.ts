#!/usr/bin/env node
/** The operator's command: `npm run admin -- list`. It talks to a running server. */
import { parseArgs } from "node:util";

const usage = `Usage: npm run admin -- [options] <command>

  list            the runs in progress
  show <runId>    one of them, with its message
  cancel <runId>  stops it, and waits for its end
  follow <runId>  its events, one a line, to its end

  --url <url>     the server (http://127.0.0.1:3000)
  --help          this text

The server's ADMIN_TOKEN has to be set, and given here in the variable of the same
name. Answers are JSON. Exit codes: 0 done, 1 refused or not reached, 2 wrong usage.
`;

class WrongUsage extends Error {}

function readArguments(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: "string", default: "http://127.0.0.1:3000" },
        help: { type: "boolean", default: false, short: "h" },
      },
    });
    return { ...values, positionals };
  } catch (cause) {
    throw new WrongUsage(cause instanceof Error ? cause.message : String(cause));
  }
}

function requestFor([command, runId, ...more]: readonly string[]): {
  path: string;
  method: string;
} {
  if (command === "list" && runId === undefined) return { path: "/admin/runs", method: "GET" };
  if (runId === undefined || more.length > 0) throw new WrongUsage("Which run?");
  const path = `/admin/runs/${encodeURIComponent(runId)}`;
  switch (command) {
    case "show":
      return { path, method: "GET" };
    case "cancel":
      return { path: `${path}/cancel`, method: "POST" };
    case "follow":
      return { path: `${path}/events`, method: "GET" };
    default:
      throw new WrongUsage(`No such command: ${command}`);
  }
}

async function main(args: readonly string[], token: string | undefined): Promise<void> {
  const { url, help, positionals } = readArguments(args);
  if (help) {
    process.stdout.write(usage);
    return;
  }
  const { path, method } = requestFor(positionals);
  if (token === undefined) throw new WrongUsage("ADMIN_TOKEN is not set.");
  if (!URL.canParse(path, url)) throw new WrongUsage(`--url is not a URL: ${url}`);
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(new URL(path, url), { method, headers });
  if (!answer.ok || answer.body === null) {
    throw new Error(`The server answered ${answer.status}: ${await answer.text()}`);
  }
  if (positionals[0] === "follow") {
    for await (const part of answer.body) process.stdout.write(part);
  } else process.stdout.write(`${JSON.stringify(await answer.json(), null, 2)}\n`);
}

try {
  await main(process.argv.slice(2), process.env.ADMIN_TOKEN);
} catch (error) {
  const isUsage = error instanceof WrongUsage;
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${reason}\n${isUsage ? `\n${usage}` : ""}`);
  process.exitCode = isUsage ? 2 : 1;
}
