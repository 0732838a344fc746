/** The admin command against a server: what it lists, shows, follows and stops, and who may not. */
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { chatBot } from "../../src/bots/shipped/chat-bot.ts";
import { openLangwire } from "../../src/index.ts";
import { adminRoutes } from "../../src/server/admin.ts";
import { createServer } from "../../src/server/app.ts";
import { scriptedModel } from "../../src/testing.ts";
import { startProgram } from "../support/child-process.ts";
import { read, wsClient } from "../support/stock-client.ts";

const token = "0123456789abcdef01234567";
const program = new URL("../../src/admin/main.ts", import.meta.url).pathname;

async function start() {
  const until = Promise.withResolvers<void>();
  const model = scriptedModel([{ tokens: ["It"], until: until.promise }]);
  const langwire = await openLangwire({ bots: [chatBot({ model })] });
  const { app, close } = await createServer({ langwire });
  adminRoutes(app, langwire, token);
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const client = wsClient(`ws://127.0.0.1:${port}/trpc`);
  const input = {
    runId: randomUUID(),
    conversationId: randomUUID(),
    botId: "chat",
    message: "Soda?",
  };
  const reading = read((options) => client.api.chat.send.subscribe(input, options));
  await expect.poll(() => reading.received.some(({ event }) => event.type === "token")).toBe(true);
  onTestFinished(async () => {
    client[Symbol.dispose]();
    until.resolve();
    await close(0);
    await langwire[Symbol.asyncDispose]();
  });
  const begin = (args: string[], env: Record<string, string> = { ADMIN_TOKEN: token }) => {
    const url = `http://127.0.0.1:${port}`;
    return startProgram(process.execPath, [program, "--url", url, ...args], { env });
  };
  const admin = async (args: string[], env?: Record<string, string>) => {
    const started = begin(args, env);
    return { code: await started.exited, output: started.output };
  };
  return { admin, begin, reading, until, runId: input.runId, port };
}

test("lists runs without their messages, and shows one with it", async () => {
  const { admin, runId } = await start();
  const { code, output } = await admin(["list"]);
  expect(code).toBe(0);
  expect(JSON.parse(output)).toEqual([expect.objectContaining({ runId, botId: "chat" })]);
  expect(output).not.toContain("Soda?");
  expect(JSON.parse((await admin(["show", runId])).output)).toMatchObject({ message: "Soda?" });
});

test("cancels one, and tells how it ended", async () => {
  const { admin, runId, reading } = await start();
  const { code, output } = await admin(["cancel", runId]);
  expect([code, JSON.parse(output)]).toEqual([0, { runId, status: "cancelled" }]);
  expect((await reading.completed).at(-1)?.event).toMatchObject({ type: "runEnd", text: "It" });
  expect((await admin(["show", runId])).code).toBe(1);
});

test("follows one from its start to its end", async () => {
  const { begin, runId, until } = await start();
  await using following = begin(["follow", runId]);
  await following.printed(/"token"/);
  until.resolve();
  expect(await following.exited).toBe(0);
  const { output } = following;
  const types = output
    .trim()
    .split("\n")
    .map((line): string => JSON.parse(line).type);
  expect([types[0], types.at(-1)]).toEqual(["runStart", "runEnd"]);
});

test("refuses who does not know the token, and what it does not understand", async () => {
  const { admin, port } = await start();
  const wrong = await admin(["list"], { ADMIN_TOKEN: "wrong" });
  expect(wrong.code).toBe(1);
  expect(wrong.output).toContain("401");
  expect((await admin(["launch", "x"])).code).toBe(2);
  expect((await admin(["list"], {})).code).toBe(2);
  expect((await admin(["--help"])).output).toContain("Usage:");
  expect((await fetch(`http://127.0.0.1:${port}/admin/runs`)).status).toBe(401);
});
