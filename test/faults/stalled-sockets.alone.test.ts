/** Sockets that stop in the middle of a long answer, by the hundreds: what each of them costs. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { openSocket, subscription, type TestSocket } from "../security/socket.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { startChildServer, temporaryFolder } from "./child-server.ts";
import { faultRow } from "./fault-table.ts";
import { full } from "./form.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const answerBytes = 4 * mebibyte;
const pieceBytes = 16 * kibibyte;

/** glibc keeps much of what was freed, more the longer it runs; this has it give all of it back. */
const returnsMemory = { MALLOC_MMAP_THRESHOLD_: "131072", MALLOC_TRIM_THRESHOLD_: "131072" };

test("sockets that stop in the middle of an answer of 4 MiB cost at most 128 KiB each", {
  timeout: 280_000,
}, async (context) => {
  const count = 1_000;
  const row = faultRow(context, "sockets stop in the middle of 4 MiB: memory of each");
  await using provider = await startMockProvider();
  await using folder = await temporaryFolder();
  await using server = await startChildServer({
    DATA_DIR: folder.path,
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_API_KEY: "test-key",
    MEMORY_EXCHANGES: "0",
    MAX_RUN_BYTES: String(16 * mebibyte),
    ...returnsMemory,
  });
  using client = wsClient(server.url);
  const conversationId = randomUUID();
  await client.api.conversations.create.mutate({ conversationId, botId: "chat" });
  const run = async (steps: string[]) => {
    provider.answerAll({ steps });
    const input = { runId: randomUUID(), botId: "chat", conversationId, message: "go" };
    await read((options) => client.api.chat.send.subscribe(input, options)).completed;
  };
  const steps = Array.from({ length: answerBytes / pieceBytes }, (_, index) =>
    `${index} `.padEnd(pieceBytes, "abcdefghijklmnopqrstuvwxyz "),
  );
  await run(steps);
  const sockets: TestSocket[] = [];
  for (let index = 0; index < count; index++) {
    const socket = await openSocket(server.url);
    socket.send(subscription(1, "chat.watch", { conversationId }));
    await socket.frame(({ id }) => id === 1);
    sockets.push(socket);
  }
  const before = await server.memory();
  for (const { webSocket } of sockets) webSocket.pause();
  await run(steps);
  // The system takes pages back when it likes: the least of a second is what is needed.
  const samples = [await server.memory()];
  while (samples.length < 6) {
    await delay(200);
    samples.push(await server.memory());
  }
  const open = sockets.filter(({ webSocket }) => webSocket.readyState === webSocket.OPEN).length;
  for (const socket of sockets) socket[Symbol.dispose]();
  expect(open).toBe(count);
  const after = {
    held: Math.min(...samples.map(({ held }) => held)),
    rss: Math.min(...samples.map(({ rss }) => rss)),
  };
  // The log has the answer as events, once more in its end, and once as bytes for all readers.
  const logBytes = 4 * answerBytes;
  const each = (after.held - before.held - logBytes) / count;
  const eachRss = (after.rss - before.rss - logBytes) / count;
  context.annotate(JSON.stringify({ before, after, each, eachRss }));
  expect(each).toBeLessThan(128 * kibibyte);
  // Pages that the system has not taken back yet count here: told always, held to alone in the full form.
  if (full) expect(eachRss).toBeLessThan(128 * kibibyte);
  row.cases = count;
});
