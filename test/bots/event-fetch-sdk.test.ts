/** What the OpenAI SDK and ChatOpenAI make of an answer, with the stock fetch and with ours. */
import type { AIMessageChunk } from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import {
  ChatOpenAI,
  ChatOpenAICompletions,
  type ChatOpenAIFields,
  OpenAIClient,
} from "@langchain/openai";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { EventCompletions } from "../../src/bots/provider/event-completions.ts";
import { createEventFetch, type EventFetch } from "../../src/event-fetch/event-fetch.ts";
import { eventDocument } from "./event-fetch-documents.ts";
import {
  cutAt,
  eventStream,
  startServer,
  type TestServer,
  writePieces,
} from "./event-fetch-server.ts";

let server: TestServer;
let eventFetch: EventFetch;
let wrapping: EventFetch;
let readers: ReturnType<typeof allReaders>;

beforeAll(async () => {
  server = await startServer((_request, response) => void response.end());
  eventFetch = createEventFetch();
  wrapping = createEventFetch({ fetch: (input, init) => fetch(input, init) });
  readers = allReaders();
});

afterAll(async () => {
  await eventFetch.close();
  await server[Symbol.asyncDispose]();
});

interface Reading {
  readonly chunks: readonly unknown[];
  readonly error: string | undefined;
}

type Reader = () => Promise<Reading>;

function readerWithSdk(by: typeof fetch): Reader {
  const client = new OpenAIClient(configuration(by));
  return () => collect(() => client.chat.completions.create({ ...request, stream: true }));
}

function readerWith(completions: ChatOpenAICompletions): Reader {
  return () => collect(() => completions.completionWithRetry({ ...request, stream: true }));
}

/**
 * All the ways in which an answer can be read. Of the SDK's each is to give what `stock` gives; the
 * event completions make chunks regular on the way, so that they give the same text.
 */
function allReaders() {
  return {
    stock: readerWithSdk(fetch),
    others: {
      "event fetch": readerWithSdk(eventFetch),
      "event fetch around the stock one": readerWithSdk(wrapping),
    },
    completions: {
      "event completions": readerWith(new EventCompletions(fields(eventFetch))),
      "event completions over the stock fetch": readerWith(new EventCompletions(fields(fetch))),
    },
  };
}

const request = { model: "gpt-4.1-mini", messages: [{ role: "user" as const, content: "Hi" }] };

function configuration(by: typeof fetch) {
  const baseURL = `${server.url}/v1`;
  return { apiKey: "key", baseURL, fetch: by, maxRetries: 0, logLevel: "off" as const };
}

function fields(by: typeof fetch): ChatOpenAIFields {
  return { model: "gpt-4.1-mini", apiKey: "key", maxRetries: 0, configuration: configuration(by) };
}

async function collect(open: () => PromiseLike<AsyncIterable<unknown>>): Promise<Reading> {
  const chunks: unknown[] = [];
  try {
    for await (const chunk of await open()) chunks.push(chunk);
  } catch (error) {
    return { chunks, error: described(error) };
  }
  return { chunks, error: undefined };
}

/** What a caller tells errors apart by. Ours words what a provider sent wrong for itself. */
function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error instanceof SyntaxError ? "" : error.message;
  const status = "status" in error ? ` ${String(error.status)}` : "";
  return `${error.constructor.name}${status}: ${message}`;
}

async function expectAllAsStock(): Promise<Reading> {
  const stock = await readers.stock();
  const others = Object.entries(readers.others);
  await Promise.all([
    ...others.map(async ([name, reader]) =>
      expect({ name, ...(await reader()) }).toEqual({ name, ...stock }),
    ),
    ...Object.entries(readers.completions).map(async ([name, reader]) => {
      const text = textOf((await reader()).chunks);
      const stockText = textOf(stock.chunks);
      // Where the SDK gives up, the event completions may know more.
      const same = stock.error === undefined ? text : text.slice(0, stockText.length);
      expect({ name, text: same }).toEqual({ name, text: stockText });
    }),
  ]);
  return stock;
}

function textOf(chunks: readonly unknown[]): string {
  return chunks
    .map((chunk) => withText.safeParse(chunk).data?.choices[0]?.delta.content ?? "")
    .join("");
}

const withText = z.object({
  choices: z.array(z.object({ delta: z.object({ content: z.string().optional() }) })),
});

type Framing = "chunked" | "length" | "until closed";

function answerWith(pieces: readonly Buffer[], framing: Framing = "chunked"): void {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  server.respond = async (_request, response) => {
    response.useChunkedEncodingByDefault = framing === "chunked";
    response.writeHead(200, {
      ...eventStream,
      ...(framing === "length" && { "content-length": length }),
      ...(framing === "until closed" && { connection: "close" }),
    });
    await writePieces(response, pieces);
    response.end();
  };
}

describe("an answer through the SDK", () => {
  it("is the same as with the stock fetch, for any event stream in any pieces", async () => {
    const framing = fc.constantFrom<Framing>("chunked", "chunked", "length", "until closed");
    await fc.assert(
      fc.asyncProperty(eventDocument, framing, async ({ bytes, cuts }, how) => {
        answerWith(cutAt(bytes, cuts), how);
        await expectAllAsStock();
      }),
      { numRuns: 250, interruptAfterTimeLimit: 8000 },
    );
  });

  it("is the same where single bytes arrive", async () => {
    const events = ["炭酸水", "🫧", "e\u0301", "\u{10FFFF}", "\u2028"].map(
      (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}`,
    );
    for (const blankLine of ["\n\n", "\r\n\r\n", "\r\r", "\r\n\n"]) {
      const bytes = Buffer.from(events.map((event) => event + blankLine).join(""));
      answerWith(cutAt(bytes, [...bytes.keys()]));
      const { chunks, error } = await expectAllAsStock();
      expect(error).toBeUndefined();
      expect(chunks).toHaveLength(events.length);
    }
  });

  it("is the same for bytes that are no UTF-8", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 12 }), async (wrong) => {
        const text = Buffer.from(wrong.filter((byte) => byte > 0x22 && byte !== 0x5c));
        const event = Buffer.concat([Buffer.from('data: {"text":"'), text, Buffer.from('"}\n\n')]);
        answerWith([event]);
        await expectAllAsStock();
      }),
      { numRuns: 100, interruptAfterTimeLimit: 4000 },
    );
  });

  it("is the same for events of a megabyte, between small ones", async () => {
    const contents = ["a", "炭".repeat(350_000), "", "b".repeat(1_000_000), "c"];
    const bytes = Buffer.from(
      contents
        .map((content) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`)
        .join(""),
    );
    answerWith(cutAt(bytes, [10, 700_001, 1_500_000]));
    const { chunks } = await expectAllAsStock();
    expect(chunks).toHaveLength(contents.length);
  });

  it.each([
    ["no event at all", ""],
    ["nothing but [DONE]", "data: [DONE]\n\n"],
    ["an event without data", "event: ping\n\ndata: {}\n\n"],
    ["data that is no JSON", 'data: {"a":1}\n\ndata: {"b"\n\ndata: {}\n\n'],
    ["an error event", 'data: {"a":1}\n\nevent: error\ndata: {"message":"overloaded"}\n\n'],
    ["an error in the data", 'data: {"error":{"message":"overloaded","code":"busy"}}\n\n'],
    ["null as data", "data: null\n\ndata: 0\n\n"],
    ["text after [DONE]", "data: {}\n\ndata: [DONE]\n\ndata: {\n\n"],
  ])("is the same for %s", async (_name, document) => {
    answerWith([Buffer.from(document)]);
    await expectAllAsStock();
  });

  it.each([400, 401, 403, 404, 408, 409, 422, 429, 500, 503])(
    "is the same error for the status %d",
    async (status) => {
      server.respond = (_request, response) => {
        response.writeHead(status, { "content-type": "application/json", "retry-after": "7" });
        response.end(JSON.stringify({ error: { message: "No.", code: "no", type: "refusal" } }));
      };
      const stock = await readers.stock();
      expect(stock.error).toContain(String(status));
      for (const by of [eventFetch, wrapping]) {
        expect(await readerWithSdk(by)()).toEqual(stock);
      }
      // LangChain adds words of its own to some.
      const stockCompletions = readerWith(new ChatOpenAICompletions(fields(fetch)));
      expect(await readers.completions["event completions"]()).toEqual(await stockCompletions());
    },
  );

  it("gives every event that came whole before the connection broke, then the same error", async () => {
    const event = (content: string): Buffer =>
      Buffer.from(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
    const pieces = [event("one"), event("two"), event("three").subarray(0, 20)];
    server.respond = async (_request, response) => {
      response.writeHead(200, eventStream);
      await writePieces(response, pieces);
      response.destroy();
    };
    const stock = await readers.stock();
    expect(stock.error).toBe("TypeError: terminated");
    for (const reader of Object.values(readers.others)) {
      const { chunks, error } = await reader();
      expect(error).toBe(stock.error);
      expect(chunks.length).toBeLessThanOrEqual(2);
    }
    const ours = await readers.completions["event completions"]();
    expect(ours.error).toBe(stock.error);
    expect(textOf(ours.chunks)).toBe("onetwo");
  });
});

describe("ChatOpenAI with both", () => {
  it("says the same as with the stock fetch, whatever it is asked to do", async () => {
    const words = ["Soda", " water", ",", " 炭酸", "水", "!"];
    const chunk = (delta: object, more: object = {}): string =>
      `data: ${JSON.stringify({ id: "c1", model: "m", choices: [{ index: 0, delta, ...more }] })}\n\n`;
    answerWith([
      Buffer.from(
        chunk({ role: "assistant", content: "" }) +
          words.map((content) => chunk({ content })).join("") +
          chunk({}, { finish_reason: "stop" }) +
          'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":6,"total_tokens":7}}\n\n' +
          "data: [DONE]\n\n",
      ),
    ]);
    const stockFields = fields(fetch);
    const ourFields = fields(eventFetch);
    const stock = new ChatOpenAI(stockFields);
    const ours = new ChatOpenAI({ ...ourFields, completions: new EventCompletions(ourFields) });
    const said = async (model: ChatOpenAI) => {
      const tools = [{ type: "function", function: { name: "clock", parameters: {} } }];
      const chain = ChatPromptTemplate.fromTemplate("{q}").pipe(model.bindTools(tools));
      let heard: AIMessageChunk | undefined;
      for await (const chunk of await chain.stream({ q: "Hi" })) {
        heard = heard === undefined ? chunk : heard.concat(chunk);
      }
      const { content, usage_metadata, response_metadata } = heard ?? expect.fail();
      const { finish_reason, model_name } = response_metadata;
      return { content, usage_metadata, finish_reason, model_name };
    };
    const heard = await said(ours);
    expect(heard).toEqual(await said(stock));
    expect(heard.content).toBe(words.join(""));
  });
});
