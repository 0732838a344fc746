/** One caller at the edge of every default limit, reading nothing: what everybody else notices. */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startMockProvider } from "../support/mock-provider.ts";
import { read, type StockClient, wsClient } from "../support/stock-client.ts";
import {
  type ChildServer,
  defaultLimits,
  startChildServer,
  temporaryFolder,
} from "./child-server.ts";
import { faultRow } from "./fault-table.ts";
import { full, sized } from "./form.ts";

const mebibyte = 1024 * 1024;
const hostileFile = fileURLToPath(new URL("./hostile-caller.ts", import.meta.url));
/** Below this a time says more of the machine than of the server. */
const floorMs = 30;

function newRun(conversationId: string = randomUUID()) {
  return { runId: randomUUID(), botId: "chat", conversationId, message: "hello" };
}

async function timed(what: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await what();
  return performance.now() - startedAt;
}

function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[samples.length >> 1] ?? Number.NaN;
}

/** From another address than the hostile caller's, on a new connection. */
async function probe(port: number): Promise<void> {
  const asked = request({ host: "127.0.0.1", localAddress: "127.0.0.3", port, path: "/healthz" });
  const [answer] = await once(asked.end(), "response");
  answer.resume();
  await once(answer, "end");
}

async function firstToken({ api }: StockClient): Promise<void> {
  const reading = read((options) => api.chat.send.subscribe(newRun(), options));
  await reading.until(({ type }) => type === "token");
  await reading.completed;
}

/** What an honest user and whoever probes have to wait, again and again for some time. */
async function experience(server: ChildServer, client: StockClient, forMs: number) {
  // How late this process itself is: on a busy machine, as late is whatever it asks for.
  using lateness = loopLateness();
  let rssBytes = 0;
  const [health, list, token]: [number[], number[], number[]] = [[], [], []];
  const until = performance.now() + forMs;
  for (let round = 0; performance.now() < until; round++) {
    health.push(await timed(() => probe(server.port)));
    rssBytes = Math.max(rssBytes, server.rssBytes());
    list.push(await timed(() => client.api.conversations.list.query({})));
    // An honest user begins no more than the limit of runs a minute.
    if (round % 20 === 0) token.push(await timed(() => firstToken(client)));
    await delay(50);
  }
  return {
    healthMs: median(health),
    worstHealthMs: Math.max(...health),
    listMs: median(list),
    tokenMs: median(token),
    latestMs: lateness.latestMs,
    rssBytes,
  };
}

function loopLateness(): Disposable & { readonly latestMs: number } {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  return {
    get latestMs() {
      return delays.max / 1_000_000;
    },
    [Symbol.dispose]: () => void delays.disable(),
  };
}

test("one hostile caller within every default limit costs others little", {
  timeout: 180_000,
}, async (context) => {
  const row = faultRow(context, "one caller asks all that limits allow and reads nothing");
  await using provider = await startMockProvider();
  provider.answerAll({ steps: ["one ", "two"] });
  await using folder = await temporaryFolder();
  await using server = await startChildServer({
    ...defaultLimits,
    DATA_DIR: folder.path,
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_API_KEY: "test-key",
    MEMORY_EXCHANGES: "0",
  });
  using honest = wsClient(server.url, { userId: "ann" });
  const conversationId = randomUUID();
  {
    using mallory = wsClient(server.url, { userId: "mallory" });
    for (let index = 0; index < 36; index++) {
      const run = { ...newRun(conversationId), message: "m".repeat(30_000) };
      await read((options) => mallory.api.chat.send.subscribe(run, options)).completed;
    }
  }
  const before = await experience(server, honest, 2_000);
  await using _hostile = await startHostile(server.port, conversationId);
  const during = await experience(server, honest, sized({ short: 10_000, full: 60_000 }));
  context.annotate(JSON.stringify({ before, during }));
  expect(during.rssBytes - before.rssBytes).toBeLessThan(256 * mebibyte);
  expect(during.healthMs).toBeLessThan(250);
  // The worst single one, with room for a machine on which everything is late.
  expect(during.worstHealthMs).toBeLessThan((full ? 250 : 1_000) + 3 * during.latestMs);
  expect(during.listMs).toBeLessThan(Math.max(3 * before.listMs, floorMs));
  expect(during.tokenMs).toBeLessThan(Math.max(3 * before.tokenMs, 2 * floorMs));
  expect(server.complaints).toEqual([]);
  row.cases = 1;
});

async function startHostile(port: number, conversationId: string): Promise<AsyncDisposable> {
  const child: ChildProcess = fork(hostileFile, [String(port), conversationId]);
  await once(child, "message");
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
