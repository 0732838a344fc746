#!/usr/bin/env node
/** The operator's command: `npm run admin -- list`. It talks to a running server. */
import { pipeline } from "node:stream/promises";
import { commandOf, usage, WrongUsage } from "./arguments.ts";

async function main(args: readonly string[], token: string | undefined): Promise<void> {
  const command = commandOf(args);
  if (command === "help") {
    process.stdout.write(usage);
    return;
  }
  if (token === undefined) throw new WrongUsage("ADMIN_TOKEN is not set.");
  const { url, method, body, inLines } = command;
  const answer = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!answer.ok || answer.body === null) {
    throw new Error(`The server answered ${answer.status}: ${await answer.text()}`);
  }
  if (inLines) await pipeline(answer.body, process.stdout, { end: false });
  else process.stdout.write(`${JSON.stringify(await answer.json(), null, 2)}\n`);
}

try {
  await main(process.argv.slice(2), process.env.ADMIN_TOKEN);
} catch (error) {
  const isUsage = error instanceof WrongUsage;
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${reason}\n${isUsage ? `\n${usage}` : ""}`);
  process.exitCode = isUsage ? 2 : 1;
}
