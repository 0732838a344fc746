/** `ChatOpenAI` over the event completions: how answers end. */

import type { ServerResponse } from "node:http";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { ChatOpenAI, type ChatOpenAIFields } from "@langchain/openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BrokenAnswer } from "../../src/bots/provider/answer/broken-answer.ts";
import { EventCompletions } from "../../src/bots/provider/event-completions.ts";
import { classifyError } from "../../src/bots/provider/provider-errors.ts";
import {
  createEventFetch,
  type EventFetch,
  ProviderTimeout,
} from "../../src/event-fetch/event-fetch.ts";
import { eventStream, startServer, type TestServer } from "./event-fetch-server.ts";

let server: TestServer;
let eventFetch: EventFetch;

beforeAll(async () => {
  server = await startServer((_request, response) => void response.end());
  eventFetch = createEventFetch();
});

afterAll(async () => {
  await eventFetch.close();
  await server[Symbol.asyncDispose]();
});

function fieldsFor(by: typeof fetch): ChatOpenAIFields {
  return {
    model: "gpt-4.1-mini",
    apiKey: "key",
    maxRetries: 0,
    configuration: { baseURL: `${server.url}/v1`, fetch: by },
  };
}

function model(by: typeof fetch = eventFetch): ChatOpenAI {
  const fields = fieldsFor(by);
  return new ChatOpenAI({ ...fields, completions: new EventCompletions(fields) });
}

function readChunks(by: typeof fetch) {
  const completions = new EventCompletions(fieldsFor(by));
  return completions.completionWithRetry({ model: "m", messages: [], stream: true });
}

class TokenHandler extends BaseCallbackHandler {
  readonly name = "tokens";
  readonly lc_prefer_streaming = true;
  readonly tokens: string[] = [];

  constructor() {
    super({ _awaitHandler: true });
  }

  override handleLLMNewToken(token: string): void {
    if (token !== "") this.tokens.push(token);
  }
}

const chunk = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { role: "assistant", content } }] })}\n\n`;
const done = "data: [DONE]\n\n";

/** Begins an answer, which the test then goes on with by hand. */
function beginAnswer(first: string): Promise<ServerResponse> {
  return new Promise((resolve) => {
    server.respond = (_request, response) => {
      response.writeHead(200, eventStream);
      response.write(first);
      resolve(response);
    };
  });
}

describe("ChatOpenAI over event completions", () => {
  it("hands text to a callback handler, what arrived together as one, and the usage with the answer", async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    server.respond = (_request, response) => {
      response.writeHead(200, eventStream);
      response.write(chunk("炭酸") + chunk("水"));
      response.end(`data: ${JSON.stringify({ choices: [], usage })}\n\n${done}`);
    };
    const handler = new TokenHandler();
    const message = await model().invoke("Hi", { callbacks: [handler] });
    expect(handler.tokens).toEqual(["炭酸水"]);
    expect(message.text).toBe("炭酸水");
    expect(message.usage_metadata).toMatchObject({ input_tokens: 3, output_tokens: 2 });
  });

  it("does not wait for what follows [DONE], yet keeps the connection that it comes on", async () => {
    await using fresh = await startServer((_request, response) => {
      response.writeHead(200, eventStream);
      response.write(chunk("a") + done);
      answers.push(response);
    });
    const answers: ServerResponse[] = [];
    const fields = {
      model: "gpt-4.1-mini",
      apiKey: "key",
      configuration: { baseURL: `${fresh.url}/v1`, fetch: eventFetch },
    };
    const chat = new ChatOpenAI({ ...fields, completions: new EventCompletions(fields) });
    for (let count = 0; count < 3; count++) {
      for await (const _ of await chat.stream("Hi"));
      const answer = answers.at(-1) ?? expect.fail();
      answer.end();
      await expect.poll(() => fresh.openAnswers.size).toBe(0);
    }
    expect(answers).toHaveLength(3);
    expect(fresh.connectionCount).toBe(1);
  });

  it("closes the connection when the provider goes on after [DONE]", async () => {
    const answer = beginAnswer(chunk("a") + done);
    await model().invoke("Hi", { callbacks: [new TokenHandler()] });
    await answer;
    await expect.poll(() => server.openAnswers.size).toBe(0);
  });

  it.each(["event fetch", "stock fetch"])(
    "closes the connection on abort, over the %s",
    async (by) => {
      const answer = beginAnswer(chunk("a"));
      const abort = new AbortController();
      const handler = new TokenHandler();
      const run = model(by === "event fetch" ? eventFetch : fetch).invoke("Hi", {
        callbacks: [handler],
        signal: abort.signal,
      });
      const failed = expect(run).rejects.toThrow();
      await expect.poll(() => handler.tokens).toEqual(["a"]);
      abort.abort();
      await failed;
      await answer;
      await expect.poll(() => server.openAnswers.size).toBe(0);
    },
  );

  it.each(["event fetch", "stock fetch"])(
    "closes it when the caller leaves, over the %s",
    async (by) => {
      const answer = beginAnswer(chunk("a"));
      const stream = await readChunks(by === "event fetch" ? eventFetch : fetch);
      for await (const _ of stream) break;
      await answer;
      await expect.poll(() => server.openAnswers.size).toBe(0);
    },
  );

  it("fails with the timeout when the provider stalls", async () => {
    await using impatient = createEventFetch({ stallTimeoutMs: 150 });
    beginAnswer(chunk("a"));
    const handler = new TokenHandler();
    const run = model(impatient).invoke("Hi", { callbacks: [handler] });
    await expect(run).rejects.toBeInstanceOf(ProviderTimeout);
    expect(handler.tokens).toEqual(["a"]);
  });

  it("fails with it too when the provider never begins", async () => {
    await using impatient = createEventFetch({ firstByteTimeoutMs: 30 });
    server.respond = () => {};
    const run = model(impatient).invoke("Hi", { callbacks: [new TokenHandler()] });
    const error = await run.catch((reason: unknown) => reason);
    expect(classifyError(error, "llm").code).toBe("PROVIDER_TIMEOUT");
  });

  it("fails when the connection breaks, after every token that came", async () => {
    const handler = new TokenHandler();
    const answer = beginAnswer(chunk("a") + chunk("b") + chunk("c").slice(0, 12));
    const run = model().invoke("Hi", { callbacks: [handler] });
    const failed = expect(run).rejects.toThrow("terminated");
    (await answer).destroy();
    await failed;
    expect(["", "ab"]).toContain(handler.tokens.join(""));
  });

  it("keeps tokens single for who keeps up with them", async () => {
    const handler = new TokenHandler();
    const answer = beginAnswer(chunk("a"));
    const run = model().invoke("Hi", { callbacks: [handler] });
    for (const [count, next] of ["b", "c"].entries()) {
      await expect.poll(() => handler.tokens).toHaveLength(count + 1);
      (await answer).write(chunk(next));
    }
    (await answer).end(done);
    await run;
    expect(handler.tokens).toEqual(["a", "b", "c"]);
  });

  it("tells what was said before what went wrong", async () => {
    server.respond = (_request, response) => {
      response.writeHead(200, eventStream).end(`${chunk("a")}${chunk("b")}data: {no\n\n`);
    };
    const handler = new TokenHandler();
    const run = model().invoke("Hi", { callbacks: [handler] });
    await expect(run).rejects.toThrow(BrokenAnswer);
    expect(handler.tokens).toEqual(["ab"]);
  });

  it("answers calls of next() in order", async () => {
    const finish = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
    server.respond = (_request, response) => {
      response.writeHead(200, eventStream).end(chunk("a") + finish + done);
    };
    const stream = await readChunks(eventFetch);
    const iterator = stream[Symbol.asyncIterator]();
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next()]);
    const choices = results.map(({ value }) => value?.choices[0]);
    expect(choices.map((choice) => choice?.delta.content)).toEqual(["a", undefined, undefined]);
    expect(choices.map((choice) => choice?.finish_reason)).toEqual([null, "stop", undefined]);
    expect(results.at(-1)?.done).toBe(true);
  });
});
