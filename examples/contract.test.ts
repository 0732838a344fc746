/**
 * A contract test of your own bot, through the real server and the real client, with a model that
 * says what the test tells it to.
 *
 *   npm i langwire langwire-client @langchain/core && npm i -D vitest
 *   npx vitest run contract.test.ts
 */
import { defineBot } from "langwire";
import { scriptedModel, startTestServer } from "langwire/testing";
import { createClient } from "langwire-client";
import { expect, test } from "vitest";

test("the summarizer streams the model's words", async () => {
  const model = scriptedModel([{ tokens: ["Short", " and", " sweet."] }]);
  const summarizer = defineBot({
    id: "summarizer",
    title: "Summarizer",
    description: "Says it shorter.",
    runnable: model,
    input: ({ message }) => `Summarize: ${message}`,
  });
  await using server = await startTestServer({ bots: [summarizer] });
  const client = createClient({ url: server.url });

  const run = client.send({ botId: "summarizer", message: "A long story." });
  let streamed = "";
  for await (const event of run) if (event.type === "token") streamed += event.text;

  expect(await run.text).toBe("Short and sweet.");
  expect(streamed).toBe("Short and sweet.");
  expect(model.calls[0]?.[0]?.text).toBe("Summarize: A long story.");
  client.close();
});
