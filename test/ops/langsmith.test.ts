/** LangSmith gets runs when its variables are set, and not a request when they are not. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startProgram } from "../support/child-process.ts";
import { read, wsClient } from "../support/stock-client.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

/** Runs one message through a server whose LangSmith is here. @returns the requests that came */
async function requestsOfOneRun(env: Record<string, string>, enough: number): Promise<string[]> {
  const requests: string[] = [];
  const came = Promise.withResolvers<void>();
  const double = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume().on("end", () => response.end("{}"));
    if (requests.length >= enough) came.resolve();
  }).listen(0, "127.0.0.1");
  await once(double, "listening");
  const dataDir = await mkdtemp(join(tmpdir(), "langwire-langsmith-"));
  onTestFinished(async () => {
    double.closeAllConnections();
    double.close();
    await rm(dataDir, { recursive: true });
  });
  const { port } = double.address() as AddressInfo;
  const endpoint = { LANGSMITH_ENDPOINT: `http://127.0.0.1:${port}`, LANGSMITH_API_KEY: "a-key" };
  const settings = { MODEL: "local:", PORT: "0", DATA_DIR: dataDir };
  await using server = startProgram(process.execPath, [main], {
    env: { ...endpoint, ...settings, LANGSMITH_TRACING: undefined, ...env },
  });
  const [, address] = await server.printed(/listening at http:\/\/([\d.:]+)/);
  using client = wsClient(`ws://${address}/trpc`);
  const input = { runId: randomUUID(), conversationId: randomUUID(), botId: "chat", message: "Hi" };
  const { completed } = read((options) => client.api.chat.send.subscribe(input, options));
  await completed;
  if (enough > 0) await came.promise;
  // What is still to be sent goes out before the process ends.
  server.child.kill("SIGTERM");
  await server.exited;
  return requests;
}

test("with LANGSMITH_TRACING, runs are sent", async () => {
  const requests = await requestsOfOneRun({ LANGSMITH_TRACING: "true" }, 1);
  expect(requests.join("\n")).toMatch(/\/runs/);
});

test("without it, nothing is", async () => {
  expect(await requestsOfOneRun({}, 0)).toEqual([]);
});
