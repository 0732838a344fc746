/** Settings and a program in, a listening server out, in one process with the test. */
import { readdir } from "node:fs/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ConfigError, readSettings } from "../../src/config/read-settings.ts";
import type { Program } from "../../src/serve/program.ts";
import { serve } from "../../src/serve/serve.ts";
import { createLogger } from "../../src/server/logging/logger.ts";
import { LoopLag } from "../../src/server/metrics/loop-lag.ts";
import { temporaryFolder } from "../faults/child-server.ts";
import { botDoing, botSaying, newRun } from "../runs/run-bench.ts";
import { freePort } from "../support/free-port.ts";
import { codeOf, read, wsClient } from "../support/stock-client.ts";

const bounds = { logMebibytes: 16, liveRunsMebibytes: 16, maxLiveRuns: 100, maxSockets: 1_000 };

interface Given extends Partial<Program> {
  readonly settings?: Record<string, string>;
  readonly dev?: boolean;
}

async function setUp() {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  onTestFinished(() => void vi.restoreAllMocks());
  const lines: string[] = [];
  const start = async ({ settings = {}, dev = false, ...program }: Given = {}) => {
    const PORT = String(await freePort());
    const given = readSettings({ DATA_DIR: folder.path, PORT, LOG_LEVEL: "info", ...settings });
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ level: given.LOG_LEVEL, destination });
    const bots = program.bots ?? [botSaying({ tokens: ["ok"] })];
    const serving = await serve({
      ...{ settings: given, program: { ...program, bots }, logger, bounds, dev },
    });
    onTestFinished(() => serving[Symbol.asyncDispose]());
    const wsUrl = `${serving.url.replace("http", "ws")}/trpc`;
    /** @returns the run's end, or the code by which it was refused */
    const send = async () => {
      using client = wsClient(wsUrl);
      const reading = read((on) => client.api.chat.send.subscribe(newRun(), on));
      return await reading.completed.then((events) => events.at(-1)?.event, codeOf);
    };
    return { serving, send };
  };
  return { folder: folder.path, lines, start };
}

describe("what LangChain threw, which quotes the model, is in the log with its words", () => {
  const canary = "the prompt canary-77c1";
  test.each([
    ["in production", { dev: false, LOG_LEVEL: "info" }, false],
    ["in production, looked at closely", { dev: false, LOG_LEVEL: "debug" }, true],
    ["in development", { dev: true, LOG_LEVEL: "info" }, true],
  ])("%s", async (_where, { dev, LOG_LEVEL }, isQuoted) => {
    const { lines, start } = await setUp();
    const throwing = botDoing(() => {
      throw Object.assign(new Error(canary), { lc_error_code: "OUTPUT_PARSING_FAILURE" });
    });
    const { send } = await start({ bots: [throwing], dev, settings: { LOG_LEVEL } });
    expect(await send()).toMatchObject({ status: "failed" });
    const failed = () => lines.find((line) => line.includes("run failed"));
    await expect.poll(failed).toBeDefined();
    expect(failed()?.includes(canary)).toBe(isQuoted);
  });
});

test("a process that is too busy takes no runs, and one that is less busy does", async () => {
  const { start } = await setUp();
  const lag = vi.spyOn(LoopLag.prototype, "medianMs", "get");
  const { send } = await start({ settings: { MAX_LOOP_LAG_MS: "200" } });
  for (const [ms, expected] of [
    [0, "ok"],
    [200, "ok"],
    [201, "OVERLOADED"],
    [199, "ok"],
  ] as const) {
    lag.mockReturnValue(ms);
    const told = await send();
    const text = typeof told === "object" && told.type === "runEnd" ? told.text : told;
    expect([ms, text]).toEqual([ms, expected]);
  }
});

test("a server that does not come to listen closes what it has opened", async () => {
  const { folder, start } = await setUp();
  const { serving } = await start({ settings: { DATA_DIR: `${folder}/first` } });
  const PORT = new URL(serving.url).port;
  const DATA_DIR = `${folder}/second`;
  await expect(start({ settings: { PORT, DATA_DIR } })).rejects.toThrow(ConfigError);
  // The folder is nobody's again, and all of it is in the database.
  expect((await readdir(DATA_DIR)).filter((name) => name.endsWith("-wal"))).toEqual([]);
  await start({ settings: { DATA_DIR } });
});

test.each<[string, Record<string, string>, Pick<Program, "authenticate">, boolean]>([
  ["this machine's", { HOST: "127.0.0.1" }, {}, true],
  ["everybody's", { HOST: "0.0.0.0" }, {}, false],
  ["everybody's, with tokens", { HOST: "0.0.0.0", AUTH_SECRET: "x".repeat(32) }, {}, true],
  ["everybody's, where the program asks", { HOST: "0.0.0.0" }, { authenticate: () => null }, true],
  ["everybody's, as wanted", { HOST: "0.0.0.0", ALLOW_ANONYMOUS: "true" }, {}, true],
])("an address that is %s", async (_whose, settings, program, listens) => {
  const { start } = await setUp();
  const started = start({ settings, ...program });
  if (listens) expect((await started).serving.url).toMatch(/^http:\/\/(127\.0\.0\.1|localhost):/);
  else await expect(started).rejects.toThrow(/HOST is "0\.0\.0\.0"/);
});

test("an address of IPv6 is in brackets, where a browser is to go there", async () => {
  const { start } = await setUp();
  const { serving } = await start({ settings: { HOST: "::1" } });
  expect(serving.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await fetch(`${serving.url}/healthz`)).status).toBe(200);
});

test("the operator's routes are there with a token alone", async () => {
  const { start } = await setUp();
  const ADMIN_TOKEN = "long-enough-to-be-a-token";
  for (const [settings, status] of [
    [{}, 404],
    [{ ADMIN_TOKEN }, 200],
  ] as const) {
    const { serving } = await start({ settings });
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    expect((await fetch(`${serving.url}/admin/runs`, { headers })).status).toBe(status);
    await serving[Symbol.asyncDispose]();
  }
});
