/** Keys that a program gives its models itself: in no variable of the environment, by which the log would know them. */
import { ChatOpenAI } from "@langchain/openai";
import { expect, test } from "vitest";
import { createClient } from "../../client/src/index.ts";
import { defineBot } from "../../src/index.ts";
import { logRuns } from "../../src/runs/run-log.ts";
import { createLogger } from "../../src/server/logging/logger.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { type Reply, startMockProvider } from "../support/mock-provider.ts";

const keys = ["sk-proj-Canary4f1d2c7b9a8e", "own-Canary-4f1d2c7b9a8e"];

/** How providers, and proxies before them, repeat what they were sent. */
const replies = (key: string): Reply[] => [
  { status: 401, body: `{"error":{"message":"Incorrect API key provided: ${key}."}}` },
  { status: 400, body: `{"error":{"message":"POST /v1?api_key=${key}&stream=1 is wrong"}}` },
  { status: 403, body: `<h1>Forbidden</h1> Authorization: Bearer ${key}` },
  { steps: [`{"headers":{"authorization":"Bearer ${key}"}}`, "cut"] },
];

test.each(["info", "debug"])("are in no line of the log at level %s", async (level) => {
  await using provider = await startMockProvider();
  const lines: string[] = [];
  const logger = createLogger({ level, destination: { write: (line) => void lines.push(line) } });
  for (const key of keys) {
    const model = new ChatOpenAI({
      model: "gpt-4.1-mini",
      apiKey: key,
      maxRetries: 0,
      configuration: { baseURL: provider.baseUrl },
    });
    const thrown = () => {
      throw new Error(`GET https://anna:${key}@models.example/v1?key=${key} failed`);
    };
    const bots = [
      defineBot({ id: "asks", title: "Asks", description: "", runnable: model }),
      defineBot({ id: "throws", title: "Throws", description: "", runnable: () => thrown() }),
    ];
    await using server = await startTestServer({ bots, logger, observer: logRuns(logger) });
    const client = createClient({ url: server.url });
    const ask = (botId: string) => client.send({ botId, message: "Hi" }).ended.catch(() => {});
    for (const reply of replies(key)) {
      provider.answer(reply);
      await ask("asks");
    }
    await ask("throws");
    await client.close();
  }
  const log = lines.join("");
  expect(log.match(/run failed/g)).toHaveLength(keys.length * (replies("").length + 1));
  expect(log).toContain("[secret]");
  expect(log).not.toContain("Canary");
});
