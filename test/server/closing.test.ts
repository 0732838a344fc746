/** A server that closes: its runs end first, then its clients are sent to another process. */
import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { startTestServer } from "../../src/testing/test-server.ts";
import { scriptedBot } from "../security/scripted-bot.ts";
import { openSocket } from "../security/socket.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";

test("sockets are told to come back, once the runs that are under way have ended", async () => {
  const gate = Promise.withResolvers<void>();
  const bot = scriptedBot(() => ({ tokens: ["a", "b"], until: gate.promise }));
  const server = await startTestServer({ bots: [bot] });
  onTestFinished(() => server[Symbol.asyncDispose]());
  onTestFinished(() => gate.resolve());
  using idle = await openSocket(server.url);
  using client = wsClient(server.url);
  const run = { runId: randomUUID(), conversationId: randomUUID(), botId: "test", message: "Hi" };
  const reading = read((on) => client.api.chat.send.subscribe(run, on));
  await reading.until(({ type }) => type === "token");
  const closing = server.server.close(600_000);
  // No new one is taken, which shows that it closes.
  await expect.poll(() => server.langwire.runs.accepting).toBe(false);
  expect(idle.webSocket.readyState).toBe(idle.webSocket.OPEN);
  gate.resolve();
  expect(expectWholeRun(await reading.completed).text).toBe("ab");
  expect(await idle.closed).toEqual({ code: 1012, reason: "server restarts" });
  expect(idle.frames.at(-1)).toMatchObject({ id: null, method: "reconnect" });
  await closing;
});
