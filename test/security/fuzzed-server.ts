/** Starts the server that is fuzzed, with an honest client beside it. */
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";
import type { Report } from "./fuzz-server.ts";

export interface FuzzedServer extends AsyncDisposable {
  readonly port: number;
  readonly alive: boolean;
  report(): Promise<Report>;
  /** As `report`; the longest turn counts from now on. */
  forget(): Promise<Report>;
}

export async function startFuzzedServer(): Promise<FuzzedServer> {
  const file = fileURLToPath(new URL("./fuzz-server.ts", import.meta.url));
  const child = fork(file, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const exited = once(child, "exit");
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  const ask = async (question: string): Promise<Report> => {
    child.send(question);
    const [report] = (await once(child, "message")) as [Report];
    return report;
  };
  return {
    port,
    get alive() {
      return child.exitCode === null && child.signalCode === null;
    },
    report: () => ask("report"),
    forget: () => ask("forget"),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Sends one message after another and checks every transcript, until it is stopped. */
export function honestClient(port: number): { stop(): Promise<number> } {
  const client = wsClient(`ws://127.0.0.1:${port}/trpc`, { userId: "honest" });
  let stopped = false;
  const work = async (): Promise<number> => {
    let runs = 0;
    while (!stopped) {
      const ids = { runId: randomUUID(), conversationId: randomUUID() };
      const run = { ...ids, botId: "test", message: "hello" };
      const reading = read((options) => client.api.chat.send.subscribe(run, options));
      const { status, text } = expectWholeRun(await reading.completed);
      if (status !== "completed" || text.split("token").length !== 21) {
        throw new Error(`an honest run ended ${status}: ${text}`);
      }
      runs += 1;
    }
    return runs;
  };
  const working = work();
  working.catch(() => {});
  return {
    stop: async () => {
      stopped = true;
      const runs = await working;
      client[Symbol.dispose]();
      return runs;
    },
  };
}

/** The server kept nothing and failed at nothing, and the honest client's runs were all whole. */
export async function expectUnharmed(
  server: FuzzedServer,
  honest: ReturnType<typeof honestClient>,
): Promise<Report> {
  expect(await honest.stop()).toBeGreaterThan(0);
  await expect
    .poll(() => server.report())
    .toMatchObject({ connections: 0, subscriptions: 0, liveRuns: 0, failures: [] });
  return await server.report();
}

const answerWithinMs = 20_000;

export async function inTime<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("no answer in time")), answerWithinMs);
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

/** How many cases a fuzz test tries: `FUZZ_CASES` in a long run. */
export function fuzzCases(byDefault: number): number {
  return Number(process.env.FUZZ_CASES ?? byDefault);
}
