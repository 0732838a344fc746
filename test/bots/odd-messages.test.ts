/** Messages that are not what LangChain's types say: of models written by hand, of other versions. */
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
} from "@langchain/core/language_models/chat_models";
import { AIMessage, AIMessageChunk, type BaseMessage } from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import { RunnableLambda } from "@langchain/core/runnables";
import { describe, expect, test } from "vitest";
import { outline, transcriptOf } from "./transcript.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Answers with one message that has the fields as they are given. */
class OddModel extends BaseChatModel<BaseChatModelCallOptions, AIMessageChunk> {
  readonly #fields: Fields;
  readonly #streams: boolean;

  constructor(fields: Fields, streams: boolean) {
    super({});
    this.#fields = fields;
    this.#streams = streams;
    this.disableStreaming = !streams;
  }

  override _llmType(): string {
    return "odd";
  }

  override async _generate(): Promise<ChatResult> {
    const message = Object.assign(new AIMessage(""), this.#fields);
    return { generations: [{ text: "", message }] };
  }

  override async *_streamResponseChunks(
    _messages: BaseMessage[],
    _options: this["ParsedCallOptions"],
    runManager?: Parameters<BaseChatModel["_streamResponseChunks"]>[2],
  ): AsyncGenerator<ChatGenerationChunk> {
    if (!this.#streams) throw new Error("does not stream");
    const message = Object.assign(new AIMessageChunk(""), this.#fields);
    const chunk = new ChatGenerationChunk({ text: "", message });
    yield chunk;
    const none = undefined;
    await runManager?.handleLLMNewToken(chunk.text, none, none, none, none, { chunk });
  }
}

const info = { finish_reason: "stop" };
const contents: readonly [string, unknown, string][] = [
  ["null", null, ""],
  ["undefined", undefined, ""],
  ["a number", 5, "5"],
  ["one block", { type: "text", text: "Hello" }, "Hello"],
  ["strings in a list", ["Hel", "lo"], "Hello"],
  ["nothing in a list", [null, undefined, { type: "text", text: "Hello" }], "Hello"],
  ["a number in a block", [{ type: "text", text: 5 }], "5"],
  ["a block without a text", [{ type: "text" }, "Hello"], "Hello"],
];

describe.each([
  ["streamed", true],
  ["whole", false],
])("of a message that comes %s", (_how, streams) => {
  test.each(contents)("the content is %s", async (_what, content, text) => {
    const fields = { content, response_metadata: info };
    const { tokens, outcome, events } = await transcriptOf({
      runnable: new OddModel(fields, streams),
    });
    expect(tokens).toBe(text);
    expect(outcome).toMatchObject({ status: "completed" });
    expect(events.find(({ type }) => type === "llmEnd")).toMatchObject({ finishReason: "stop" });
  });

  test("the other fields are not there", async () => {
    const nothing = { additional_kwargs: undefined, tool_calls: null, invalid_tool_calls: null };
    const fields = { content: "Hello", response_metadata: info, ...nothing };
    const { tokens, outcome, events } = await transcriptOf({
      runnable: new OddModel(fields, streams),
    });
    expect(events.find(({ type }) => type === "llmEnd")).toMatchObject({ finishReason: "stop" });
    expect(tokens).toBe("Hello");
    expect(outcome).toMatchObject({ status: "completed" });
  });

  test("the tool calls are none", async () => {
    const tool_calls = [null, "call", { name: "look", args: null, id: 5 }, { args: {} }];
    const fields = { content: "Hello", response_metadata: info, tool_calls };
    const { events, outcome } = await transcriptOf({
      runnable: new OddModel(fields, streams),
      expose: "tools",
    });
    expect(outcome).toMatchObject({ status: "completed" });
    expect(outline(events).at(-1)).toBe("llmEnd bot: look, tool");
  });
});

describe("of a message with a part that throws when it is read", () => {
  test.each(["usage_metadata", "additional_kwargs", "tool_calls", "invalid_tool_calls"])(
    "%s: what else it has counts, and its span ends where it ends",
    async (field) => {
      const message = new AIMessage("Hello");
      const get = () => {
        throw new Error(`no ${field}`);
      };
      Object.defineProperty(message, field, { get });
      class ThrowingModel extends OddModel {
        override async _generate(): Promise<ChatResult> {
          return { generations: [{ text: "Hello", message }] };
        }
      }
      // What LangChain itself reads of it may throw: that is the bot's own.
      const asking = RunnableLambda.from(async (_input: object, config) => {
        await new ThrowingModel({}, false).invoke("hello", config).catch(() => {});
        return "answered";
      });
      const { events, tokens, outcome } = await transcriptOf({ runnable: asking });
      expect(tokens).toBe("Hello");
      const types = events.map(({ type }) => type);
      expect(types).toEqual(["chainStart", "llmStart", "token", "llmEnd", "chainEnd"]);
      expect(outcome).toMatchObject({ status: "completed" });
    },
  );
});
