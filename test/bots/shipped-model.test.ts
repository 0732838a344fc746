/** Which model a setting is, and what it is made with: what each provider takes, and how often it is asked. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { LocalModel } from "../../src/shipped/local/local-model.ts";
import { createModel } from "../../src/shipped/model.ts";

const openaiApiKey = "key";

afterEach(() => void vi.unstubAllEnvs());

describe("a model of OpenAI's, or of what speaks its protocol", () => {
  test.each([
    ["gpt-4.1-mini", 0],
    ["gpt-5-chat-latest", 0],
    ["llama3.1:8b", 0],
    ["org/o3-like", 0],
    ["o3-mini", undefined],
    ["o1", undefined],
    ["gpt-5-mini", undefined],
    ["gpt-6", undefined],
  ])("%s has its whole name, and a temperature of %s", async (name, temperature) => {
    const model = await createModel({ model: `openai:${name}`, openaiApiKey });
    expect(model).toMatchObject({ model: name });
    expect((model as { temperature?: number }).temperature).toBe(temperature);
  });

  test("has the temperature that is set, where it takes one", async () => {
    const settings = { openaiApiKey, temperature: 0.7 };
    const [takes, refuses] = await Promise.all(
      ["gpt-4.1", "o3"].map((name) => createModel({ model: `openai:${name}`, ...settings })),
    );
    expect(takes).toMatchObject({ temperature: 0.7 });
    expect((refuses as { temperature?: number }).temperature).toBeUndefined();
  });

  test.each([
    [undefined, 4],
    [0, 1],
    [2, 3],
  ])("is asked again %s times, and no more than that in all", async (maxRetries, requests) => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.writeHead(503).end("busy");
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const model = await createModel({
      ...{ model: "openai:m", openaiBaseUrl: `http://127.0.0.1:${port}/v1`, retryDelayMs: 1 },
      ...(maxRetries !== undefined && { maxRetries }),
    });
    await expect(model.invoke("Hi")).rejects.toThrow();
    expect(asked).toBe(requests);
  });
});

test.each<[string, Record<string, string>, boolean]>([
  ["with nothing set", { OPENAI_API_KEY: "", OPENAI_BASE_URL: "" }, true],
  ["with a key", { OPENAI_API_KEY: "key", OPENAI_BASE_URL: "" }, false],
  ["with an address", { OPENAI_API_KEY: "", OPENAI_BASE_URL: "http://127.0.0.1:1/v1" }, false],
])("an environment %s: is it the built-in model? %j %s", async (_with, environment, isLocal) => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  expect((await createModel({ model: "openai:m" })) instanceof LocalModel).toBe(isLocal);
  expect(await createModel({ model: "local:" })).toBeInstanceOf(LocalModel);
});

test.each(["gpt-4.1", "openai:", "nobody:m", ""])(
  "%j is no model, and the providers are named",
  async (model) => {
    const error = /is not of the form provider:name\. The providers are local, .*openai/;
    await expect(createModel({ model, openaiApiKey })).rejects.toThrow(error);
  },
);
