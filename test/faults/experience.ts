/** What everybody else notices of a caller who floods: an honest user, and whoever probes. */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { codeOf, read, type StockClient } from "../support/stock-client.ts";
import type { ChildServer } from "./child-server.ts";

export function newRun(conversationId: string = randomUUID()) {
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
export async function experience(server: ChildServer, client: StockClient, forMs: number) {
  // How late this process itself is: on a busy machine, as late is whatever it asks for.
  using lateness = loopLateness();
  let rssBytes = 0;
  /** Runs that were refused as OVERLOADED: the server says so rather than be late. */
  let refused = 0;
  const [health, list, token]: [number[], number[], number[]] = [[], [], []];
  const until = performance.now() + forMs;
  for (let round = 0; performance.now() < until; round++) {
    health.push(await timed(() => probe(server.port)));
    rssBytes = Math.max(rssBytes, server.rssBytes());
    list.push(await timed(() => client.api.conversations.list.query({})));
    // An honest user begins no more than the limit of runs a minute.
    if (round % 20 === 0) {
      const asked = timed(() => firstToken(client)).then((ms) => token.push(ms));
      await asked.catch((cause: unknown) => {
        if (codeOf(cause) !== "OVERLOADED") throw cause;
        refused += 1;
      });
    }
    await delay(50);
  }
  return {
    healthMs: median(health),
    worstHealthMs: Math.max(...health),
    listMs: median(list),
    tokenMs: median(token),
    latestMs: lateness.latestMs,
    refused,
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

/** Starts a hostile caller, a process of its own. */
export async function startHostile(file: URL, args: readonly string[]): Promise<AsyncDisposable> {
  const child: ChildProcess = fork(file, args);
  await once(child, "message");
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
