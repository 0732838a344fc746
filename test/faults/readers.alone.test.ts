/** Readers that stop, and readers on slow links. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { type Reading, read, type StockClient, wsClient } from "../support/stock-client.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { type ChildServer, startChildServer, temporaryFolder } from "./child-server.ts";
import { faultRow } from "./fault-table.ts";
import { sized } from "./form.ts";
import { judge } from "./oracle.ts";
import { World } from "./world.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

let provider: MockProvider;

beforeAll(async () => {
  provider = await startMockProvider();
});

afterAll(async () => {
  await provider[Symbol.asyncDispose]();
});

interface Bench extends AsyncDisposable {
  readonly server: ChildServer;
  readonly near: StockClient;
  readonly far: StockClient;
  readonly proxy: TcpProxy;
}

/** A server of its own, a client beside it and one behind a network. */
async function setUp(settings: Record<string, string> = {}): Promise<Bench> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const server = stack.use(
    await startChildServer({
      DATA_DIR: folder.path,
      OPENAI_BASE_URL: provider.baseUrl,
      OPENAI_API_KEY: "test-key",
      MEMORY_EXCHANGES: "0",
      ...settings,
    }),
  );
  const proxy = stack.use(await startTcpProxy({ port: server.port }));
  const near = stack.use(wsClient(server.url));
  const far = stack.use(wsClient(`ws://127.0.0.1:${proxy.port}/trpc`));
  return { server, near, far, proxy, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function newRun(conversationId: string = randomUUID()) {
  const runId = randomUUID();
  return { runId, botId: "chat", conversationId, message: runId };
}
type Run = ReturnType<typeof newRun>;

function send({ api }: StockClient, run: Run): Reading {
  return read((options) => api.chat.send.subscribe(run, options));
}

/** glibc keeps much of what was freed, more the longer it runs; this has it give all of it back. */
const returnsMemory = { MALLOC_MMAP_THRESHOLD_: "131072", MALLOC_TRIM_THRESHOLD_: "131072" };

/** An answer of so many bytes, in pieces of 16 KiB. */
function answerOf(bytes: number): string[] {
  const pieceBytes = 16 * kibibyte;
  return Array.from({ length: bytes / pieceBytes }, (_, index) =>
    `${index} `.padEnd(pieceBytes, "abcdefghijklmnopqrstuvwxyz "),
  );
}

/** Makes runs one after another in one conversation, while a reader beside them reads them all. */
async function load(bench: Bench, { stopped, runs }: { stopped: boolean; runs: number }) {
  const { server, near, far, proxy } = bench;
  const conversationId = randomUUID();
  const steps = answerOf(2 * mebibyte);
  const text = steps.join("");
  provider.answerAll({ steps });
  await near.api.conversations.create.mutate({ conversationId, botId: "chat" });
  const watchers = [near, far].map(({ api }) => {
    let bytes = 0;
    let ended = 0;
    const done = Promise.withResolvers<void>();
    const last = Promise.withResolvers<string>();
    const subscription = api.chat.watch.subscribe(
      { conversationId, lastEventId: "0" },
      {
        onData: ({ data }) => {
          if (data.type === "token") bytes += data.text.length;
          if (data.type !== "runEnd") return;
          if (data.text !== text) done.reject(new Error("a run ended with another text"));
          ended += 1;
          if (ended === runs) done.resolve();
          last.resolve(data.runId);
        },
        onError: done.reject,
      },
    );
    return { done: done.promise, ended: () => ended, bytes: () => bytes, subscription };
  });
  const [beside, behind] = watchers;
  if (beside === undefined || behind === undefined) throw new Error("no watchers");
  const startedAt = performance.now();
  const samples: { held: number; rss: number }[] = [];
  for (let index = 0; index < runs; index++) {
    // One run reaches both before the network fails.
    if (index === 1 && stopped) proxy.pause("toClient");
    const run = newRun(conversationId);
    const sending = near.api.chat.send.subscribe(
      { ...run, only: ["runEnd"] },
      { onData: () => {} },
    );
    await expect.poll(() => beside.ended(), { interval: 5 }).toBe(index + 1);
    sending.unsubscribe();
    samples.push(await server.memory());
  }
  const tookMs = performance.now() - startedAt;
  const behindEnded = behind.ended();
  proxy.resume();
  await Promise.all([beside.done, behind.done]);
  for (const { subscription } of watchers) subscription.unsubscribe();
  // The system takes pages back when it likes: the least of the later half is what is needed.
  const later = samples.slice(runs / 2);
  const held = Math.min(...later.map((sample) => sample.held));
  const rss = Math.min(...later.map((sample) => sample.rss));
  const bytes = { beside: beside.bytes(), behind: behind.bytes() };
  return { held, rss, tookMs, behindEnded, bytes };
}

test("a client that stops reading costs the server little", {
  timeout: 280_000,
}, async (context) => {
  const runs = sized({ short: 6, full: 50 });
  const row = faultRow(
    context,
    `reader stopped while runs make ${2 * runs} MiB: memory, others, catching up`,
  );
  // In one process, one after the other: two processes differ by more than what is looked for.
  await using bench = await setUp({ LOG_MEMORY_MB: "8", ...returnsMemory });
  await load(bench, { stopped: false, runs });
  const reads = await load(bench, { stopped: false, runs });
  const stops = await load(bench, { stopped: true, runs });
  context.annotate(JSON.stringify({ reads, stops }));
  expect(stops.behindEnded).toBe(1);
  expect(stops.held - reads.held).toBeLessThan(8 * mebibyte);
  expect(stops.rss - reads.rss).toBeLessThan(8 * mebibyte);
  expect(stops.tookMs).toBeLessThan(3 * reads.tookMs);
  expect(stops.bytes.beside).toBe(2 * runs * mebibyte);
  row.cases = runs;
});

test("a reader that reads again catches up, merged, to the whole text", async (context) => {
  const row = faultRow(context, "reader stopped for a run, then reads: merged, whole");
  await using bench = await setUp({ MAX_RUN_BYTES: String(64 * mebibyte) });
  // More than the system's own buffers between two sockets hold, in pieces that can be merged.
  const steps = answerOf(10 * mebibyte).flatMap((piece) => [
    piece.slice(0, 4096),
    piece.slice(4096),
  ]);
  provider.answerAll({ steps });
  const run = newRun();
  const stopped = send(bench.far, run);
  await stopped.until(({ type }) => type === "runStart");
  bench.proxy.pause("toClient");
  const beside = send(bench.near, run);
  const log = await beside.completed;
  bench.proxy.resume();
  const readers = { stopped: await stopped.completed };
  const calls = provider.calls.filter(({ lastText }) => lastText === run.message).length;
  judge({ runId: run.runId, log, readers, provider: { calls, text: steps.join("") } });
  expect(readers.stopped.length).toBeLessThan(steps.length / 2);
  row.cases = 1;
});

test("past its patience the server closes a stopped socket, and its client resumes", async (context) => {
  const row = faultRow(context, "reader stopped past the server's patience: 4408, resumes");
  await using world = await World.start({
    runLimits: { maxRunBytes: 64 * mebibyte },
    connectionLimits: { slowReaderMs: 300 },
  });
  const steps = answerOf(10 * mebibyte);
  const run = world.newRun({ steps });
  await using stopped = await world.reader();
  const reading = stopped.send(run);
  await reading.until(({ type }) => type === "runStart");
  // Its client gets to see the code only when it reads again within the moment of the closing.
  const codes: number[] = [];
  for (const socket of world.server.server.app.websocketServer.clients) {
    const close = socket.close.bind(socket);
    socket.close = (code, reason) => {
      codes.push(code ?? 0);
      close(code, reason);
    };
  }
  stopped.proxy.pause("toClient");
  await using beside = await world.reader();
  await beside.send(run).completed;
  await expect.poll(() => codes).toEqual([4408]);
  stopped.proxy.resume();
  const readers = { stopped: await reading.completed };
  expect(stopped.proxy.connections).toBeGreaterThan(1);
  await world.judge(run, { readers, text: steps.join("") });
  row.cases = 1;
});

test("a link of 32 KB/s is not cut while it makes progress", async (context) => {
  const row = faultRow(context, "link of 32 KB/s: not cut while it makes progress");
  await using bench = await setUp({ SLOW_READER_MS: "1500", PING_MS: "3000" });
  bench.proxy.throttle(32 * kibibyte);
  // At that rate several times the patience.
  const steps = answerOf(sized({ short: 96, full: 192 }) * kibibyte);
  provider.answerAll({ steps });
  const run = newRun();
  const slow = send(bench.far, run);
  const log = await send(bench.near, run).completed;
  const readers = { slow: await slow.completed };
  judge({ runId: run.runId, log, readers, provider: { calls: 1, text: steps.join("") } });
  expect(bench.proxy.connections).toBe(1);
  row.cases = 1;
});

test("one large event is not cut off on a link that takes longer for it than the patience", async (context) => {
  const row = faultRow(context, "slow link, one event of 12 MiB: not cut while it makes progress");
  const bench = { SLOW_READER_MS: "1000", PING_MS: "1000", MAX_RUN_BYTES: String(64 * mebibyte) };
  await using s = await setUp(bench);
  const steps = answerOf(12 * mebibyte);
  provider.answerAll({ steps });
  const run = newRun();
  const log = await send(s.near, run).completed;
  s.proxy.throttle(4 * mebibyte);
  const slow = read((options) =>
    s.far.api.chat.send.subscribe({ ...run, only: ["runEnd"] }, options),
  );
  const end = (await slow.completed).at(-1)?.event;
  expect(end).toEqual(log.at(-1)?.event);
  expect(s.proxy.connections).toBe(1);
  row.cases = 1;
});
