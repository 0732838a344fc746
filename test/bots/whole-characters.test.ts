/** Characters that a provider cuts in two go out whole, as tokens and as reasoning. */
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessageChunk } from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import { expect, test } from "vitest";
import { defineBot } from "../../src/bots/bot.ts";
import { MessageFold } from "../../src/protocol/fold/message-fold.ts";
import { createModel } from "../../src/shipped/model.ts";
import { storable } from "../../src/store/queries/text.ts";
import { eventStream, startServer, writePieces } from "./event-fetch-server.ts";
import { transcriptOfBot } from "./transcript.ts";

const [high, low] = ["\ud83e", "\udee7"] as const;
const pieces = ["a", high, low, `b${high}`, `${low}c${high}`, `${low}${high}`, low, ""];

async function expectWhole(runnable: BaseChatModel, end = ""): Promise<void> {
  const bot = defineBot({ id: "bot", title: "Bot", description: "", runnable });
  const { events, outcome } = await transcriptOfBot(bot);
  expect(outcome.status).toBe("completed");
  for (const type of ["token", "reasoning"] as const) {
    const texts = events.flatMap((event) => (event.type === type ? [event.text] : []));
    expect(texts.every((text) => text.isWellFormed() && text !== "")).toBe(true);
    expect(texts.join("")).toBe(`a\u{1FAE7}b\u{1FAE7}c\u{1FAE7}\u{1FAE7}${end}`);
  }
}

class Scripted extends BaseChatModel {
  readonly #pieces: readonly string[];

  constructor(texts: readonly string[]) {
    super({});
    this.#pieces = texts;
  }

  override _llmType(): string {
    return "scripted";
  }

  override _generate(): Promise<ChatResult> {
    throw new Error("it streams");
  }

  override async *_streamResponseChunks(): AsyncGenerator<ChatGenerationChunk> {
    for (const text of this.#pieces) {
      const extra = { reasoning_content: text };
      const message = new AIMessageChunk({ content: text, additional_kwargs: extra });
      yield new ChatGenerationChunk({ message, text });
    }
  }
}

test("whatever model said them", () => expectWhole(new Scripted(pieces)));

test("and half a character at the end is told as one that cannot be shown", () =>
  expectWhole(new Scripted([...pieces, high]), "\uFFFD"));

test("and what no database can hold, as well", async () => {
  const bot = defineBot({
    ...{ id: "bot", title: "Bot", description: "" },
    runnable: new Scripted(["a\0b", `c${low}d`, "\0"]),
  });
  const { tokens, events } = await transcriptOfBot(bot);
  expect(tokens).toBe("a\uFFFDbc\uFFFDd\uFFFD");
  const fold = new MessageFold();
  for (const event of events) fold.add(event);
  // As the store has it.
  const text = storable(`a\0bc${low}d\0`);
  const texts = fold.end(text).filter(({ type }) => type === "text");
  expect(texts).toEqual([{ type: "text", text, final: true }]);
});

test("through OpenAI's protocol, where JSON escapes each half", async () => {
  await using server = await startServer(async (_request, response) => {
    response.writeHead(200, eventStream);
    const events = pieces.map((text) => {
      const delta = { content: text, reasoning_content: text };
      return Buffer.from(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`);
    });
    await writePieces(response, [...events, Buffer.from("data: [DONE]\n\n")]);
    response.end();
  });
  const openaiBaseUrl = `${server.url}/v1`;
  const model = await createModel({ model: "openai:m", openaiApiKey: "key", openaiBaseUrl });
  await expectWhole(model);
});
