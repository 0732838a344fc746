/** OpenAI's chat completions, and the dialects of it that Groq and Mistral speak. */
import { randomUUID } from "node:crypto";
import {
  type AnswerWriter,
  argumentPieces,
  billed,
  type JsonObject,
  type ProviderImage,
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

interface Dialect {
  readonly path: RegExp;
  readonly toolCallId: () => string;
  readonly reasoningDelta: (text: string) => JsonObject;
  /** In the finish chunk, or in a chunk of its own after it. */
  readonly usageIn: "finish chunk" | "x_groq" | "own chunk";
  readonly refusal: (refusal: Refusal) => JsonObject;
  readonly check?: (turns: readonly Turn[]) => void;
}

const openaiRefusal = ({ status, message }: Refusal): JsonObject => ({
  error: {
    message,
    type: status === 429 ? "rate_limit_error" : "invalid_request_error",
    param: null,
    code: status === 401 ? "invalid_api_key" : status === 404 ? "model_not_found" : null,
  },
});

export const openaiCompletions = chatCompletions({
  path: /^\/v1\/chat\/completions$/,
  toolCallId: () => `call_${randomUUID()}`,
  reasoningDelta: (text) => ({ reasoning_content: text }),
  usageIn: "own chunk",
  refusal: openaiRefusal,
});

export const groqCompletions = chatCompletions({
  path: /^\/openai\/v1\/chat\/completions$/,
  toolCallId: () => `call_${randomUUID()}`,
  reasoningDelta: (text) => ({ reasoning: text }),
  usageIn: "x_groq",
  refusal: openaiRefusal,
});

export const mistralCompletions = chatCompletions({
  path: /^\/v1\/chat\/completions$/,
  // Mistral takes nothing but nine letters and digits.
  toolCallId: () => randomUUID().replaceAll("-", "").slice(0, 9),
  reasoningDelta: (text) => ({
    content: [{ type: "thinking", thinking: [{ type: "text", text }] }],
  }),
  usageIn: "finish chunk",
  refusal: ({ status, message }) => ({
    object: "error",
    message,
    type: status === 401 ? "unauthorized" : "invalid_request_error",
    param: null,
    code: String(status),
  }),
  check: (turns) => {
    for (const [at, turn] of turns.entries()) {
      if (turn.role === "human" && turns[at - 1]?.role === "tool") {
        throw new Refusal(400, "Unexpected role 'user' after role 'tool'");
      }
      if (turn.role === "tool" && !/^[a-zA-Z0-9]{9}$/.test(turn.toolCallId)) {
        throw new Refusal(
          400,
          `Tool call id was ${turn.toolCallId} but must be a-z, A-Z, 0-9, with a length of 9.`,
        );
      }
    }
  },
});

function chatCompletions(dialect: Dialect): ProviderProtocol {
  return {
    contentType: "text/event-stream; charset=utf-8",
    read(request) {
      expectPost(request, dialect.path);
      expectHeader(request, "authorization", /^Bearer ./);
      const { body } = request;
      stringOf(body.model, "model");
      const turns = objectsOf(body.messages, "messages").map(turnOf);
      expectOrder(turns);
      dialect.check?.(turns);
      return { streams: body.stream === true, turns, structured: structuredOf(body) };
    },
    writer: () => new Writer(dialect),
    whole: ({ text, toolCalls }) => ({
      ...completion("chat.completion"),
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: text,
            ...(toolCalls.length > 0 && {
              tool_calls: toolCalls.map(({ toolCall, args }) => ({
                id: dialect.toolCallId(),
                type: "function",
                function: { name: toolCall, arguments: JSON.stringify(args) },
              })),
            }),
          },
          finish_reason: toolCalls.length > 0 ? "tool_calls" : "stop",
        },
      ],
      usage: usage(),
    }),
    refusal: dialect.refusal,
  };
}

function turnOf({ role, content, tool_calls: calls, tool_call_id: id }: JsonObject): Turn {
  const text = textOf(content);
  switch (role) {
    case "system":
    case "developer":
      return { role: "system", text };
    case "user":
      return { role: "human", text };
    case "tool":
      return { role: "tool", toolCallId: stringOf(id, "tool_call_id"), text };
    case "assistant": {
      const toolCallIds = objectsOf(calls ?? [], "tool_calls").map((call) => {
        const called = objectOf(call.function, "tool_calls.function");
        JSON.parse(stringOf(called.arguments, "tool_calls.function.arguments"));
        return stringOf(call.id, "tool_calls.id");
      });
      return { role: "ai", text, toolCallIds };
    }
    default:
      throw new Refusal(400, `unknown role ${role}`);
  }
}

function structuredOf(body: JsonObject): ReturnType<ProviderProtocol["read"]>["structured"] {
  const choice = body.tool_choice;
  if (choice !== undefined && choice !== "auto" && choice !== "none") {
    const tool = objectOf(objectsOf(body.tools, "tools")[0]?.function, "function");
    return { by: "tool", name: stringOf(tool.name, "function.name") };
  }
  return body.response_format === undefined ? undefined : { by: "json" };
}

/** Ids are the provider's: LangGraph takes two messages of one id for one message. */
const completion = (object: string, id = `cmpl-${randomUUID()}`) => ({
  id,
  object,
  created: 0,
  model: "mock",
});

const usage = () => ({
  prompt_tokens: billed.input,
  completion_tokens: billed.output,
  total_tokens: billed.input + billed.output,
  prompt_tokens_details: { cached_tokens: billed.cached },
  completion_tokens_details: { reasoning_tokens: billed.reasoning },
});

class Writer implements AnswerWriter {
  readonly #dialect: Dialect;
  readonly #id = `cmpl-${randomUUID()}`;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  begin(): string {
    return this.#delta({ role: "assistant", content: "" });
  }

  text(content: string): string {
    return this.#delta({ content });
  }

  reasoning(text: string): string {
    return this.#delta(this.#dialect.reasoningDelta(text));
  }

  toolCall(call: ScriptedToolCall, index: number): readonly string[] {
    const id = this.#dialect.toolCallId();
    const named = { index, id, type: "function", function: { name: call.toolCall, arguments: "" } };
    const pieces = argumentPieces(call);
    // Mistral and Groq send a call in one piece, and Mistral's clients count on it.
    if (this.#dialect.usageIn !== "own chunk") {
      const whole = { ...named.function, arguments: pieces.join("") };
      return [this.#delta({ content: "", tool_calls: [{ ...named, function: whole }] })];
    }
    return [
      this.#delta({ content: null, tool_calls: [named] }),
      ...pieces.map((piece) =>
        this.#delta({ tool_calls: [{ index, function: { arguments: piece } }] }),
      ),
    ];
  }

  /** As OpenRouter sends the images of the models behind it. */
  image({ mimeType, base64 }: ProviderImage): string {
    const image_url = { url: `data:${mimeType};base64,${base64}` };
    return this.#delta({ content: "", images: [{ type: "image_url", index: 0, image_url }] });
  }

  /** As OpenAI's models that search the web do. */
  source(url_citation: ProviderSource): string {
    return this.#delta({ content: "", annotations: [{ type: "url_citation", url_citation }] });
  }

  refusal(refusal: string): string {
    return this.#delta({ content: null, refusal });
  }

  finish(why: "stop" | "tools"): string {
    const reason = why === "tools" ? "tool_calls" : "stop";
    const done = "data: [DONE]\n\n";
    switch (this.#dialect.usageIn) {
      case "finish chunk":
        return this.#delta({ content: "" }, reason, { usage: usage() }) + done;
      case "x_groq":
        return this.#delta({}, reason, { x_groq: { id: "req_1", usage: usage() } }) + done;
      case "own chunk": {
        const counted = {
          ...completion("chat.completion.chunk", this.#id),
          choices: [],
          usage: usage(),
        };
        return this.#delta({}, reason) + sse(counted) + done;
      }
    }
  }

  #delta(delta: JsonObject, finish: string | null = null, more: JsonObject = {}): string {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    return sse({ ...completion("chat.completion.chunk", this.#id), choices, ...more });
  }
}
