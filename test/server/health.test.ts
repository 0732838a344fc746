/** `/readyz` may be asked by anybody, so it asks the store no more often than it has to. */
import { expect, test, vi } from "vitest";
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
