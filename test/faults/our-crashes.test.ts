/**
 * The server's process killed under this project's own readers, and started again: each of them has the ending
 * that the server keeps, and before it what had come.
 */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toUIMessages } from "../../client/src/ai-sdk/index.ts";
import type { LangwireClient } from "../../client/src/index.ts";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { startChildServer, temporaryFolder } from "./child-server.ts";
import { faultRow } from "./fault-table.ts";
import { forSchedules, sized } from "./form.ts";
import { merged } from "./oracle.ts";
import { connect, openChat, readRun, readUiMessages, streamOf, ways } from "./our-readers.ts";

let provider: MockProvider;

beforeAll(async () => {
  provider = await startMockProvider();
});

afterAll(async () => {
  await provider[Symbol.asyncDispose]();
});

const botId = "chat";
const pieces = Array.from({ length: 40 }, (_, index) => `${index} `);
const events = (all: Awaited<ReturnType<typeof readRun>>) =>
  merged(all.map((event) => ({ id: "", event }))).map(({ event }) => event);

/** One of each reader, in the middle of an answer of its own; what they have when it is over is compared with what is kept. */
async function startReaders(client: LangwireClient, onEvent: (count: number) => void) {
  const [ofRun, ofChat, ofStream] = [randomUUID(), randomUUID(), randomUUID()];
  const run = client.send({ botId, conversationId: ofRun, message: "hi" });
  const read = readRun(run, onEvent);
  const shown = openChat(client, { botId, conversationId: ofChat }, onEvent);
  shown.chat.send("hi").catch(() => {});
  const stream = await streamOf(client, { botId, conversationId: ofStream, message: "hi" });
  const made = readUiMessages(stream ?? expect.fail("no stream"), onEvent);
  return async (calm: LangwireClient) => {
    const { text, status, error } = await run.ended;
    expect(events(await read)).toEqual(events(await readRun(calm.follow({ runId: run.id }))));
    expect(pieces.join("")).toContain(text);
    if (status === "failed") {
      expect(error?.code).toBe("SERVER_RESTARTED");
      const refused = { code: "SERVER_RESTARTED", partialText: text };
      await expect(run.text).rejects.toMatchObject(refused);
    } else expect(await run.text).toBe(pieces.join(""));
    const state = await shown.until(
      (now) => now.status === "ready" && now.messages.at(-1)?.role === "ai",
    );
    const { message, failure } = await made;
    shown.close();
    const history = async (conversationId: string) =>
      (await calm.conversations.messages({ conversationId })).items;
    const [kept, keptOfStream] = [await history(ofChat), await history(ofStream)];
    expect(state.messages).toMatchObject(
      kept.map(({ text, role, parts = expect.anything() }) => ({ text, role, parts })),
    );
    expect(state.messages.at(-1)?.status).toBe(kept.at(-1)?.status);
    const last = keptOfStream.at(-1);
    expect(message?.parts).toEqual(toUIMessages(keptOfStream).at(-1)?.parts);
    if (last?.status === "failed") expect(failure).toMatchObject({ code: "SERVER_RESTARTED" });
    else expect(failure).toBeUndefined();
  };
}

test("SIGKILL under our own clients, and a start again", { timeout: 280_000 }, async (context) => {
  const row = faultRow(
    context,
    "SIGKILL mid-run, our clients: what came, then the end that is kept",
  );
  await using folder = await temporaryFolder();
  provider.answerAll({ steps: pieces, paceMs: 5 });
  const settings = {
    DATA_DIR: folder.path,
    ...{ OPENAI_BASE_URL: provider.baseUrl, OPENAI_API_KEY: "test-key" },
  };
  let server = await startChildServer(settings);
  const { port } = server;
  // With 0 there may be no claim yet: what is sent again then is a new run.
  const killAfter = fc.integer({ min: 0, max: 40 });
  await forSchedules(killAfter, sized({ short: 1, full: 15 }), async (count) => {
    await using stack = new AsyncDisposableStack();
    const enough = Promise.withResolvers<void>();
    let seen = 0;
    const onEvent = () => {
      if (++seen >= count) enough.resolve();
    };
    if (count === 0) enough.resolve();
    const clients = ways.map((way) => stack.use(connect(way, port)));
    const judging = await Promise.all(clients.map((client) => startReaders(client, onEvent)));
    await enough.promise;
    server.signal("SIGKILL");
    await server.exited;
    server = await startChildServer({ ...settings, PORT: String(port) });
    const calm = stack.use(connect("a WebSocket", port));
    for (const judge of judging) await judge(calm);
    expect(server.complaints).toEqual([]);
    row.cases += 3 * ways.length;
  });
  await server[Symbol.asyncDispose]();
});
