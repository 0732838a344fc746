/** Contract tests: the bot behind the real server, asked by the real client, on a model that says what we want. */
import { scriptedModel, startTestServer } from "langwire/testing";
import { createClient } from "langwire-client";
import { expect, test } from "vitest";
import { assistantOn } from "./assistant.ts";

test("the assistant looks up the time before it answers", async () => {
  const model = scriptedModel([
    { toolCalls: [{ name: "time", args: { timeZone: "Asia/Tokyo" } }] },
    { tokens: ["It is", " late", " in Tokyo."] },
  ]);
  await using server = await startTestServer({ bots: [assistantOn(model)] });
  await using client = createClient({ url: server.url });

  const run = client.send({ botId: "assistant", message: "What time is it in Tokyo?" });
  const tools: string[] = [];
  for await (const event of run) if (event.type === "toolStart") tools.push(event.name);

  expect(await run.text).toBe("It is late in Tokyo.");
  expect(tools).toEqual(["time"]);
  // What the tool said is what the model is asked with the second time.
  expect(model.calls[1]?.at(-1)?.text).toMatch(/\d\d:\d\d/);
});
