/** The admin command against a server: what it tells, stops and deletes, and who may not. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openLangwire } from "../../src/index.ts";
import { ArchiveWriter } from "../../src/log/archive/run-archive.ts";
import { LogEntry } from "../../src/log/entry.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import type { Part } from "../../src/protocol/parts.ts";
import { adminRoutes } from "../../src/server/admin/admin.ts";
import type { ExportLine, PruneLine } from "../../src/server/admin/admin-conversations.ts";
import { createServer } from "../../src/server/app.ts";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { exchange } from "../store/store-place.ts";
import { startProgram } from "../support/child-process.ts";
import { freePort } from "../support/free-port.ts";
import { read, wsClient } from "../support/stock-client.ts";

const token = "0123456789abcdef01234567";
const program = new URL("../../src/cli/admin/main.ts", import.meta.url).pathname;

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
  const { runId, conversationId } = input;
  return { admin, begin, reading, until, runId, conversationId, port, client, langwire };
}

function linesOf<Line>(output: string): Line[] {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
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
  const types = linesOf<{ type: string }>(output).map(({ type }) => type);
  expect([types[0], types.at(-1)]).toEqual(["runStart", "runEnd"]);
});

test("exports a conversation whole, whoever owns it", async () => {
  const { admin, langwire, conversationId, runId, reading, until } = await start();
  until.resolve();
  await reading.completed;
  const { store } = langwire;
  await store.conversations.share(conversationId, "local");
  await store.conversations.join(conversationId, "bob");
  const text = "é\n".repeat(100_000);
  for (let index = 0; index < 30; index++) {
    await exchange(store, { conversationId, userId: "bob", message: `Number ${index}` }, { text });
  }
  const { code, output } = await admin(["export", conversationId]);
  expect(code).toBe(0);
  const lines = linesOf<ExportLine>(output);
  const at = expect.any(String);
  expect(lines.slice(0, 4)).toEqual([
    {
      type: "conversation",
      conversationId,
      botId: "chat",
      ownerId: "local",
      title: "Soda?",
      shared: true,
      createdAt: at,
      updatedAt: at,
    },
    { type: "member", userId: "bob" },
    { type: "member", userId: "local" },
    {
      type: "run",
      runId,
      userId: "local",
      message: "Soda?",
      status: "completed",
      startedAt: at,
      endedAt: at,
      text: "It",
      parts: expect.arrayContaining([expect.objectContaining({ text: "It", final: true })]),
      usage: expect.any(Object),
    },
  ]);
  const rest = lines.slice(4);
  const first = rest.slice(
    0,
    rest.findIndex(({ type }) => type === "run"),
  );
  const told = first.map((line) => line.type === "event" && [line.seq, line.event]);
  expect(told).toEqual((await reading.completed).map(({ id, event }) => [Number(id), event]));
  const others = rest
    .slice(first.length)
    .map((line) => line.type === "run" && [line.message, line.text]);
  expect(others.length).toBe(30);
  expect(others.every((one, index) => one && one[0] === `Number ${index}` && one[1] === text)).toBe(
    true,
  );
});

test("exports what messages are made of, and events that have long left the log", async () => {
  const { admin, langwire } = await start();
  const { store } = langwire;
  const parts: Part[] = [
    { type: "tool", name: "search", state: "done", input: { q: "Soda" }, output: ["a result"] },
    { type: "text", text: "It fizzes.", final: true },
  ];
  const given = { message: '{"q":"Soda"}', input: { q: "Soda" } };
  const runId = randomUUID();
  const at = new Date().toISOString();
  const writer = new ArchiveWriter();
  const events: ChatEvent[] = [
    { type: "custom", runId, spanId: "1", name: "progress", data: 0.5 },
    { type: "runEnd", runId, at, status: "completed", text: "It fizzes." },
  ];
  await writer.add(events.map((event, index) => LogEntry.of(index + 1, event)));
  const ending = { text: "It fizzes.", parts, output: { bubbles: 3 }, modelMessages: '["secret"]' };
  const archived = { ...ending, archive: await writer.end() };
  const { conversationId } = await exchange(store, { ...given, runId, userId: "local" }, archived);
  const damaged = { archive: { events: new Uint8Array([1, 2, 3]), rawBytes: 9 } };
  await exchange(store, { conversationId, userId: "local" }, damaged);
  await exchange(store, { conversationId, userId: "local", message: "The last?" });
  const { code, output } = await admin(["export", conversationId]);
  expect(code).toBe(0);
  const lines = linesOf<ExportLine>(output).slice(2);
  expect(lines).toEqual([
    expect.objectContaining({ type: "run", ...given, parts, output: { bubbles: 3 } }),
    ...events.map((event, index) => ({ type: "event", seq: index + 1, event })),
    expect.objectContaining({ type: "run", message: "Hello?" }),
    { type: "unreadableEvents", runId: expect.any(String), reason: expect.any(String) },
    expect.objectContaining({ type: "run", message: "The last?" }),
  ]);
  expect(output).not.toContain("secret");
});

test("does not take a part of an export for all of it", async () => {
  const { admin, langwire, conversationId } = await start();
  const missing = await admin(["export", randomUUID()]);
  expect(missing.code).toBe(1);
  expect(missing.output).toBe("There is no such conversation.\n");
  const { administration } = langwire.store;
  vi.spyOn(administration, "runs").mockImplementation(async function* () {
    yield* [];
    throw new Error("The disk is gone.");
  });
  expect((await admin(["export", conversationId])).code).toBe(1);
});

test("prunes what was inactive for long, and ends who watches it", async () => {
  const { admin, client, langwire, conversationId: busy } = await start();
  const { store } = langwire;
  const old = await exchange(store, { userId: "local" });
  const other = await exchange(store, { userId: "bob" });
  const started = Promise.withResolvers<void>();
  const watching = read((options) => {
    const { conversationId } = old;
    const onStarted = () => started.resolve();
    return client.api.chat.watch.subscribe({ conversationId }, { ...options, onStarted });
  });
  await started.promise;
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 91 * 24 * 60 * 60_000 });
  const recent = await exchange(store, { userId: "bob" });
  const pruned = async (...args: string[]) => {
    const { code, output } = await admin(["prune", ...args]);
    expect(code).toBe(0);
    return linesOf<PruneLine>(output).map(({ ownerId, conversationId }) => [
      ownerId,
      conversationId,
    ]);
  };

  expect(await pruned("--older-than", "92d")).toEqual([]);
  const expected = new Set([
    ["local", old.conversationId],
    ["bob", other.conversationId],
  ]);
  expect(new Set(await pruned("--older-than", "90d", "--dry-run"))).toEqual(expected);
  expect(await store.conversations.get(old.conversationId, "local")).toBeDefined();
  expect(new Set(await pruned("--older-than", "90d"))).toEqual(expected);
  await expect(watching.completed).rejects.toMatchObject({
    data: { langwire: { code: "NOT_FOUND" } },
  });
  expect(await store.conversations.get(old.conversationId, "local")).toBeUndefined();
  expect(await store.conversations.get(busy, "local")).toBeDefined();
  expect(await store.conversations.get(recent.conversationId, "bob")).toBeDefined();
});

test("refuses who does not know the token, and what it does not understand", async () => {
  const { admin, port } = await start();
  const wrong = await admin(["list"], { ADMIN_TOKEN: "wrong" });
  expect(wrong.code).toBe(1);
  expect(wrong.output).toBe(
    `The server at http://127.0.0.1:${port} has another ADMIN_TOKEN than this one.\n`,
  );
  const see = "See langwire admin --help.";
  for (const [args, line, env] of [
    [["launch", "x"], "No such command: launch"],
    [["list"], "ADMIN_TOKEN is not set. It is the server's, here too.", {}],
    [["prune"], "Older than what? --older-than says it."],
    [["prune", "--older-than", "old"], "--older-than takes 90d, 12h or 30m, not old."],
    [["list", "--dry-run"], "--older-than and --dry-run belong to prune."],
    [["show"], "It is: show <runId>"],
    [["list", "--loud"], "Unknown option '--loud'."],
  ] as const) {
    const refused = await admin([...args], env);
    expect([refused.code, refused.output]).toEqual([2, `${line}\n${see}\n`]);
  }
  expect((await admin(["show", "xx"])).output).toBe("No such run is in progress here.\n");
  expect((await admin(["--help"])).output).toContain("Usage:");
  expect((await fetch(`http://127.0.0.1:${port}/admin/runs`)).status).toBe(401);
});

test("tells an address that tries tokens by the dozen to stop, and lets the operator in", async () => {
  const { admin, port } = await start();
  const tried = async (token: number) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`http://127.0.0.1:${port}/admin/runs`, { headers })).status;
  };
  const statuses: number[] = [];
  for (let token = 0; token < 40; token++) statuses.push(await tried(token));
  expect(statuses[0]).toBe(401);
  expect(statuses.at(-1)).toBe(429);
  expect((await admin(["list"])).code).toBe(0);
});

test("says that what is not in a file of its own is backed up otherwise", async () => {
  const { admin } = await start();
  const file = join(tmpdir(), `langwire-${randomUUID()}`);
  const { code, output } = await admin(["backup", file]);
  expect(code).toBe(1);
  expect(output).toContain("pg_dump");
  expect(existsSync(file)).toBe(false);
  const nowhere = join(file, "one.sqlite");
  expect((await admin(["backup", nowhere])).output).toBe(
    `${nowhere} cannot be made: its folder is not there.\n`,
  );
});

test("says of what is no server with admin routes what it is", async () => {
  await using plain = await startTestServer({ bots: [] });
  const foreign = createHttpServer((_request, response) => {
    response.writeHead(502).end("<html>\n<h1>Bad gateway</h1></html>");
  });
  await new Promise<void>((resolve) => foreign.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void foreign.close());
  const { port } = foreign.address() as AddressInfo;
  for (const [url, said] of [
    [`http://127.0.0.1:${plain.port}`, "takes no admin commands: its ADMIN_TOKEN is not set."],
    [`http://127.0.0.1:${port}`, "is not Langwire, or stands before it: 502 <html> <h1>Bad gate"],
  ] as const) {
    const args = [program, "--url", url, "list"];
    await using asked = startProgram(process.execPath, args, { env: { ADMIN_TOKEN: token } });
    expect(await asked.exited).toBe(1);
    expect(asked.output).toContain(said);
  }
});

test("where no server answers, the address is told", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const env = { ADMIN_TOKEN: token };
  await using command = startProgram(process.execPath, [program, "--url", url, "list"], { env });
  expect(await command.exited).toBe(1);
  expect(command.output).toContain(`No server answers at ${url}`);
});
