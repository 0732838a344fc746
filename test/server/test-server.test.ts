/** The server of applications' own tests lets go of all that it holds, and says what bots threw. */
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { expect, test } from "vitest";
import { z } from "zod";
import { createClient } from "../../client/src/index.ts";
import { defineBot } from "../../src/bots/bot.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { thrownByRun } from "../../src/testing/thrown.ts";
import { temporaryFolder } from "../faults/child-server.ts";

const bot = (code: () => unknown) =>
  defineBot({ id: "bot", title: "Bot", description: "", runnable: RunnableLambda.from(code) });

test("nobody answers at its address once it is disposed of, and another can take its place", async () => {
  await using folder = await temporaryFolder();
  const options = { bots: [bot(() => "Hi")], dataDir: folder.path };
  const first = await startTestServer(options);
  // One that cannot listen leaves nothing open, either.
  await using other = await temporaryFolder();
  const taken = { ...options, dataDir: other.path, port: first.port };
  await expect(startTestServer(taken)).rejects.toThrow("EADDRINUSE");
  await first[Symbol.asyncDispose]();
  await expect(fetch(first.httpUrl)).rejects.toThrow();
  for (const dataDir of [folder.path, other.path]) {
    await using again = await startTestServer({ ...options, dataDir, port: first.port });
    expect(again.port).toBe(first.port);
  }
});

test("what a tool threw inside a bot that copes with it is none of the run's", async () => {
  const schema = z.object({});
  const inner = new Error("no such city");
  const fails = tool(() => Promise.reject(inner), { name: "fails", schema, description: "" });
  const own = new Error("and then this");
  const isToFail = new Set<string>();
  const runnable = RunnableLambda.from(async (_input: unknown, config: RunnableConfig) => {
    await fails.invoke({}, config).catch(() => {});
    if (isToFail.delete("next")) throw own;
    return "made do";
  });
  const copes = defineBot({ id: "bot", title: "Bot", description: "", runnable });
  await using server = await startTestServer({ bots: [copes] });
  await using client = createClient({ url: server.url });
  const ended = async () => {
    const run = client.send({ botId: "bot", conversationId: crypto.randomUUID(), message: "Hi" });
    return [(await run.ended).status, server.thrown.get(run.id)];
  };
  expect(await ended()).toEqual(["completed", undefined]);
  isToFail.add("next");
  expect(await ended()).toEqual(["failed", own]);
});

test("what a bot threw is there by its run, itself, for as long as the server is", async () => {
  const thrown = new Error("no such city");
  const runs: string[] = [];
  const all = thrownByRun();
  {
    await using server = await startTestServer({
      bots: [
        bot(() => {
          throw thrown;
        }),
      ],
    });
    await using client = createClient({ url: server.url });
    for (let times = 0; times < 2; times++) {
      const run = client.send({ botId: "bot", conversationId: crypto.randomUUID(), message: "Hi" });
      expect((await run.ended).status).toBe("failed");
      runs.push(run.id);
    }
    expect([...server.thrown]).toEqual(runs.map((runId) => [runId, thrown]));
    for (const runId of runs) expect(all.get(runId)).toBe(thrown);
  }
  for (const runId of runs) expect(all.has(runId)).toBe(false);
});
