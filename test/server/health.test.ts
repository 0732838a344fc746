/** `/readyz` may be asked by anybody, so it asks the store no more often than it has to. */
import type { FastifyInstance } from "fastify";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Langwire } from "../../src/open/open-langwire.ts";
import { healthRoutes } from "../../src/server/health.ts";
import { startTestServer } from "../../src/testing/test-server.ts";
import { scriptedBot } from "../security/scripted-bot.ts";

test("asked by many at once, it takes one look; a moment later it looks again", async () => {
  await using server = await startTestServer({ bots: [scriptedBot()] });
  const { store } = server.langwire;
  const ping = vi.spyOn(store, "ping");
  const ask = () => fetch(`http://127.0.0.1:${server.port}/readyz`);
  // Opens the connections, which on a busy machine takes longer than an answer is kept.
  const warmUp = () => fetch(`http://127.0.0.1:${server.port}/healthz`).then((it) => it.text());
  await Promise.all(Array.from({ length: 50 }, warmUp));
  const answers = await Promise.all(Array.from({ length: 50 }, ask));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(ping).toHaveBeenCalledTimes(1);
  ping.mockRejectedValue(new Error("gone"));
  await expect.poll(async () => (await ask()).status).toBe(503);
  ping.mockRestore();
  await expect.poll(async () => (await ask()).status).toBe(200);
});

test("whoever shuts down says so at once, whatever was found a moment ago", async () => {
  await using server = await startTestServer({ bots: [scriptedBot()] });
  const ask = () => fetch(`http://127.0.0.1:${server.port}/readyz`);
  expect((await ask()).status).toBe(200);
  await server.langwire.runs.drain(0);
  const answer = await ask();
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ checks: { accepting: false } });
});

const answers = async () => {};
const refuses = () => Promise.reject(new Error("away"));
const neverAnswers = () => new Promise<never>(() => {});
const well = { store: answers, cluster: answers, accepting: true, storeAway: false, log: true };

test.each<[string, Partial<typeof well>, ready: boolean]>([
  ["all is well", {}, true],
  ["the store is away", { store: refuses }, false],
  ["the store never answers", { store: neverAnswers }, false],
  ["other processes say that the store is away", { storeAway: true }, false],
  ["the log takes nothing", { log: false }, false],
  ["Redis is away", { cluster: refuses }, false],
  ["Redis never answers", { cluster: neverAnswers }, false],
  ["it takes no runs", { accepting: false }, false],
])("where %s", async (_what, wrong, ready) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const { store, cluster, accepting, storeAway, log } = { ...well, ...wrong };
  const langwire = {
    ...{ runs: { accepting, storeAway }, log: { healthy: log } },
    ...{ store: { ping: store }, cluster: { ping: cluster } },
  } as unknown as Langwire;
  const routes = new Map<string, (request: unknown, reply: unknown) => unknown>();
  const get = (path: string, _options: unknown, handler: () => unknown) =>
    void routes.set(path, handler);
  healthRoutes({ get } as unknown as FastifyInstance, langwire);
  const sent = vi.fn();
  const answered = routes.get("/readyz")?.(
    {},
    { status: (status: number) => ({ send: () => sent(status) }) },
  );
  await vi.advanceTimersByTimeAsync(5_000);
  await answered;
  expect(sent).toHaveBeenCalledExactlyOnceWith(ready ? 200 : 503);
});
