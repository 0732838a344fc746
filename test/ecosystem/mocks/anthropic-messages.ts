/** Anthropic's messages: named SSE events around content blocks. */
import { randomUUID } from "node:crypto";
import {
  type AnswerWriter,
  argumentPieces,
  billed,
  type JsonObject,
  type ProviderProtocol,
  type ProviderSource,
  Refusal,
  type ScriptedToolCall,
  sse,
  type Turn,
} from "./provider-protocol.ts";
import {
  expectHeader,
  expectOrder,
  expectPost,
  objectOf,
  objectsOf,
  stringOf,
  textOf,
} from "./request-checks.ts";

const errorTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

export const anthropicMessages: ProviderProtocol = {
  contentType: "text/event-stream; charset=utf-8",
  read(request) {
    expectPost(request, /^\/v1\/messages$/);
    expectHeader(request, "x-api-key", /./);
    expectHeader(request, "anthropic-version", /^\d{4}-\d\d-\d\d$/);
    const { body } = request;
    if (typeof body.max_tokens !== "number") throw new Refusal(400, "max_tokens: Field required");
    const turns = objectsOf(body.messages, "messages").flatMap(turnsOf);
    if (turns[0]?.role !== "human") throw new Refusal(400, "messages: first must be of the user");
    expectOrder(turns);
    return { streams: body.stream === true, turns, structured: structuredOf(body) };
  },
  writer: () => new Writer(),
  whole: ({ text, toolCalls }) => ({
    ...message(),
    content: [
      ...(text === "" ? [] : [{ type: "text", text }]),
      ...toolCalls.map((call) => ({ ...toolUse(call), input: call.args })),
    ],
    stop_reason: toolCalls.length > 0 ? "tool_use" : "end_turn",
    usage: { ...inputUsage(), output_tokens: billed.output },
  }),
  refusal: ({ status, message }) => ({
    type: "error",
    error: { type: errorTypes[status] ?? "api_error", message },
    request_id: "req_1",
  }),
};

function turnsOf({ role, content }: JsonObject): Turn[] {
  const parts = typeof content === "string" ? [{ type: "text", text: content }] : content;
  const blocks = objectsOf(parts, "content");
  if (blocks.length === 0) throw new Refusal(400, "messages: content is empty");
  for (const { type, text } of blocks) {
    if (type === "text" && text === "") {
      throw new Refusal(400, "messages: text content blocks must be non-empty");
    }
  }
  const text = textOf(blocks.filter(({ type }) => type === "text"));
  if (role === "assistant") {
    const calls = blocks.filter(({ type }) => type === "tool_use");
    for (const { input } of calls) objectOf(input, "tool_use.input");
    return [{ role: "ai", text, toolCallIds: calls.map(({ id }) => stringOf(id, "tool_use.id")) }];
  }
  if (role !== "user") throw new Refusal(400, `messages: unexpected role ${role}`);
  const results = blocks
    .filter(({ type }) => type === "tool_result")
    .map((block): Turn => {
      const toolCallId = stringOf(block.tool_use_id, "tool_use_id");
      return { role: "tool", toolCallId, text: textOf(block.content) };
    });
  return text === "" && results.length > 0 ? results : [...results, { role: "human", text }];
}

function structuredOf({
  tool_choice: choice,
  output_config: config,
  output_format: format,
}: JsonObject) {
  if (typeof choice === "object" && choice !== null && "name" in choice) {
    return { by: "tool", name: String(choice.name) } as const;
  }
  return config === undefined && format === undefined ? undefined : ({ by: "json" } as const);
}

const inputUsage = () => ({
  input_tokens: billed.input - billed.cached,
  cache_read_input_tokens: billed.cached,
  cache_creation_input_tokens: 0,
});

/** Ids are the provider's: LangGraph takes two messages of one id for one message. */
const message = () => ({
  id: `msg_${randomUUID()}`,
  type: "message",
  role: "assistant",
  model: "mock",
  content: [],
  stop_reason: null,
  stop_sequence: null,
});

const toolUse = ({ toolCall }: ScriptedToolCall) => ({
  type: "tool_use",
  id: `toolu_${randomUUID()}`,
  name: toolCall,
  input: {},
});

/** Neighbouring pieces of one kind are deltas of one block. */
class Writer implements AnswerWriter {
  #index = -1;
  #open: "text" | "thinking" | undefined;

  begin(): string {
    const usage = { ...inputUsage(), output_tokens: 1 };
    return this.#event({ type: "message_start", message: { ...message(), usage } });
  }

  text(text: string): string {
    const start = this.#in("text", { type: "text", text: "" });
    return start + this.#delta({ type: "text_delta", text });
  }

  reasoning(thinking: string): string {
    const start = this.#in("thinking", { type: "thinking", thinking: "", signature: "" });
    return start + this.#delta({ type: "thinking_delta", thinking });
  }

  toolCall(call: ScriptedToolCall): readonly string[] {
    const start = this.#close() + this.#start(toolUse(call));
    const pieces = argumentPieces(call).map((partial_json) =>
      this.#delta({ type: "input_json_delta", partial_json }),
    );
    if (call.unfinished) return [start, ...pieces];
    return [start, ...pieces, this.#event({ type: "content_block_stop", index: this.#index })];
  }

  source({ url, title }: ProviderSource): string {
    const citation = { type: "web_search_result_location", url, title, cited_text: "…" };
    return this.#delta({ type: "citations_delta", citation });
  }

  finish(why: "stop" | "tools"): string {
    const delta = { stop_reason: why === "tools" ? "tool_use" : "end_turn", stop_sequence: null };
    const usage = { output_tokens: billed.output };
    const ended = this.#event({ type: "message_delta", delta, usage });
    return this.#close() + ended + this.#event({ type: "message_stop" });
  }

  #in(kind: "text" | "thinking", block: JsonObject): string {
    if (this.#open === kind) return "";
    const start = this.#close() + this.#start(block);
    this.#open = kind;
    return start;
  }

  #start(content_block: JsonObject): string {
    this.#index += 1;
    return this.#event({ type: "content_block_start", index: this.#index, content_block });
  }

  #close(): string {
    if (this.#open === undefined) return "";
    this.#open = undefined;
    return this.#event({ type: "content_block_stop", index: this.#index });
  }

  #delta(delta: JsonObject): string {
    return this.#event({ type: "content_block_delta", index: this.#index, delta });
  }

  #event(data: JsonObject & { readonly type: string }): string {
    return sse(data, data.type);
  }
}
