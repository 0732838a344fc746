/** Answers of servers that speak OpenAI's protocol almost, through the real `ChatOpenAI`. */
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { ChatGenerationChunk, type GenerationChunk, type LLMResult } from "@langchain/core/outputs";
import { ChatOpenAI } from "@langchain/openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EventCompletions } from "../../src/bots/provider/event-completions.ts";
import { classifyError } from "../../src/bots/provider/provider-errors.ts";
import { createEventFetch, type EventFetch } from "../../src/event-fetch/event-fetch.ts";
import { eventStream, startServer, type TestServer } from "./event-fetch-server.ts";
import { type Answered, type OddAnswer, oddAnswers } from "./odd-answers/all.ts";

let server: TestServer;
let eventFetch: EventFetch;

beforeAll(async () => {
  server = await startServer((_request, response) => void response.end());
  eventFetch = createEventFetch({ stallTimeoutMs: 60_000 });
});

afterAll(async () => {
  await eventFetch.close();
  await server[Symbol.asyncDispose]();
});

class Reader extends BaseCallbackHandler {
  readonly name = "reader";
  readonly lc_prefer_streaming: boolean;
  finish: string | undefined;
  text = "";
  reasoning = "";

  constructor(streamed: boolean) {
    super({ _awaitHandler: true });
    this.lc_prefer_streaming = streamed;
  }

  override handleLLMEnd({ generations }: LLMResult): void {
    this.finish = generations[0]?.[0]?.generationInfo?.finish_reason;
  }

  override handleLLMNewToken(
    token: string,
    _index: unknown,
    _id: string,
    _parentId?: string,
    _tags?: string[],
    fields?: { chunk?: GenerationChunk | ChatGenerationChunk },
  ): void {
    this.text += token;
    const chunk = fields?.chunk;
    const extra = chunk instanceof ChatGenerationChunk ? chunk.message.additional_kwargs : {};
    this.reasoning += String(extra.reasoning_content ?? "");
  }
}

function send({ events, body, contentType, ending }: OddAnswer): void {
  const text =
    events
      ?.map((one) => (typeof one === "string" ? one : `data: ${JSON.stringify(one)}\n\n`))
      .join("") ?? (typeof body === "string" ? body : JSON.stringify(body));
  const type =
    contentType ?? (events === undefined ? "application/json" : eventStream["content-type"]);
  server.respond = (_request, response) => {
    response.writeHead(200, { "content-type": type });
    if (ending === undefined) response.end(text);
    else response.write(text, () => ending === "reset" && response.destroy());
  };
}

function model(by: typeof fetch, ours: boolean, { request }: OddAnswer): ChatOpenAI {
  const fields = {
    ...request,
    model: "m",
    apiKey: "key",
    maxRetries: 0,
    configuration: { baseURL: `${server.url}/v1`, fetch: by, logLevel: "off" as const },
  };
  return new ChatOpenAI({ ...fields, ...(ours && { completions: new EventCompletions(fields) }) });
}

type Outcome = Answered | { readonly error: unknown };

async function ask(chat: ChatOpenAI, streamed: boolean): Promise<Outcome> {
  const handler = new Reader(streamed);
  try {
    const message = await chat.invoke("Hi", { callbacks: [handler] });
    const { additional_kwargs: extra } = message;
    const ids = message.tool_calls?.map(({ id }) => id) ?? [];
    expect(ids.every((id) => id !== undefined && id !== "")).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    const reasoning = String(extra.reasoning_content ?? "");
    // What a user sees on the way is what stands in the message at the end.
    if (streamed) expect(handler).toMatchObject({ text: message.text, reasoning });
    return {
      text: message.text,
      reasoning,
      tools: message.tool_calls?.map(({ name, args }) => `${name}(${JSON.stringify(args)})`) ?? [],
      tokens: message.usage_metadata?.total_tokens ?? 0,
      finish: handler.finish,
    };
  } catch (error) {
    return { error };
  }
}

function expectRight(outcome: Outcome, { gets }: OddAnswer): void {
  if ("fails" in gets) {
    const { error } = "error" in outcome ? outcome : expect.fail(JSON.stringify(outcome));
    expect(String(error)).toMatch(gets.fails);
    expect(String(error).length).toBeLessThan(1500);
    expect(classifyError(error, "llm").retryable).toBe(true);
  } else {
    if ("error" in outcome) throw outcome.error;
    expect(outcome).toMatchObject({ text: "", reasoning: "", tools: [], tokens: 0, ...gets });
  }
}

describe.each([
  ["streamed", true],
  ["whole", false],
] as const)("an answer that was asked for %s", (_how, streamed) => {
  // A whole body says by its end that it is whole: one that never ends is none.
  const rows = oddAnswers.filter(({ ending }) => streamed || ending === undefined);
  test.each(rows.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    send(row);
    expectRight(await ask(model(eventFetch, true, row), streamed), row);
  });
});

describe("the stock ChatOpenAI", () => {
  test.each(oddAnswers.filter(({ stock }) => stock).map((row) => [row.name, row] as const))(
    "agrees about %s",
    async (_name, row) => {
      send(row);
      const outcome = await ask(model(fetch, false, row), true);
      if ("fails" in row.gets) expect(outcome).toHaveProperty("error");
      else expectRight(outcome, row);
    },
  );
});

test("odd answers are more than a hundred", () => {
  expect(oddAnswers.length).toBeGreaterThan(100);
});
