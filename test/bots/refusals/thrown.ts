/** What packages throw that have a protocol of their own, and LangChain before it asks anybody. */
import type { ErrorCode } from "../../../src/protocol/errors.ts";

const thrown = (name: string, message: string, fields: object): Error =>
  Object.assign(new Error(message), { name, ...fields });

export const thrownRefusals: readonly [string, Error, ErrorCode][] = [
  [
    "Ollama: not pulled",
    thrown("ResponseError", "model 'qwen3' not found", {
      error: "model 'qwen3' not found",
      status_code: 404,
    }),
    "MODEL_NOT_FOUND",
  ],
  [
    "Ollama: a key",
    thrown("ResponseError", "unauthorized", { error: "unauthorized", status_code: 401 }),
    "MODEL_AUTHENTICATION",
  ],
  [
    "Ollama: too many",
    thrown("ResponseError", "too many requests", { error: "too many requests", status_code: 429 }),
    "MODEL_RATE_LIMIT",
  ],
  [
    "Ollama: no tools",
    thrown("ResponseError", "registry.ollama.ai/library/x does not support tools", {
      status_code: 400,
    }),
    "PROVIDER_REJECTED",
  ],
  [
    "Anthropic: too long",
    thrown("Error", '400 {"type":"error"}', {
      status: 400,
      error: {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "prompt is too long: 213462 tokens > 200000 maximum",
        },
      },
    }),
    "CONTEXT_OVERFLOW",
  ],
  [
    "Anthropic: too large",
    thrown("Error", "413", {
      status: 413,
      error: {
        type: "error",
        error: { type: "request_too_large", message: "Request exceeds the maximum size" },
      },
    }),
    "CONTEXT_OVERFLOW",
  ],
  [
    "Anthropic: overloaded in a stream",
    thrown("Error", "Overloaded", {
      status: undefined,
      error: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    }),
    "PROVIDER_ERROR",
  ],
  [
    "Anthropic: no such model",
    thrown("NotFoundError", "404", {
      status: 404,
      error: { type: "error", error: { type: "not_found_error", message: "model: claude-9" } },
    }),
    "MODEL_NOT_FOUND",
  ],
  [
    "Gemini: too long",
    thrown(
      "GoogleGenerativeAIFetchError",
      "[GoogleGenerativeAI Error]: Error fetching from https://x: [400 Bad Request] The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
      { status: 400 },
    ),
    "CONTEXT_OVERFLOW",
  ],
  [
    "Gemini: a key",
    thrown(
      "GoogleGenerativeAIFetchError",
      "[GoogleGenerativeAI Error]: Error fetching from https://x: [400 Bad Request] API key not valid. Please pass a valid API key.",
      { status: 400 },
    ),
    "MODEL_AUTHENTICATION",
  ],
  [
    "Mistral: a body",
    thrown("SDKError", "API error occurred: Status 400", {
      statusCode: 400,
      body: '{"object":"error","message":"Invalid model: foo","type":"invalid_model","code":"1500"}',
    }),
    "MODEL_NOT_FOUND",
  ],
  [
    "Bedrock: too long",
    thrown("ValidationException", "Input is too long for requested model.", {
      $metadata: { httpStatusCode: 400 },
    }),
    "CONTEXT_OVERFLOW",
  ],
  [
    "Bedrock: throttled",
    thrown("ThrottlingException", "Too many tokens, please wait before trying again.", {
      $metadata: { httpStatusCode: 429 },
    }),
    "MODEL_RATE_LIMIT",
  ],
  [
    "Bedrock: throttled, without a status",
    thrown("ThrottlingException", "Rate exceeded", {}),
    "MODEL_RATE_LIMIT",
  ],
  [
    "Groq: nested twice",
    thrown("BadRequestError", "400", {
      status: 400,
      error: {
        error: {
          message: "Please reduce the length of the messages or completion.",
          code: "context_length_exceeded",
        },
      },
    }),
    "CONTEXT_OVERFLOW",
  ],
  [
    "OpenAI's converter: a picture",
    new Error("Image content blocks with source_type id are not supported for ChatOpenAI"),
    "PROVIDER_REJECTED",
  ],
  [
    "OpenAI's converter: a sound",
    new Error("Audio blocks with source_type base64 must have mime type of audio/wav or audio/mp3"),
    "PROVIDER_REJECTED",
  ],
  [
    "OpenAI's converter: a file",
    new Error(
      "URL file blocks with source_type url must be formatted as a data URL for ChatOpenAI",
    ),
    "PROVIDER_REJECTED",
  ],
  [
    "OpenAI's converter: a name",
    new Error(
      "a filename or name or title is needed via meta-data for OpenAI when working with multimodal blocks",
    ),
    "PROVIDER_REJECTED",
  ],
  ["Gemini's converter", new Error("Unsupported message type: remove"), "PROVIDER_REJECTED"],
  [
    "Anthropic's converter",
    new Error("System messages are only permitted as the first passed message."),
    "PROVIDER_REJECTED",
  ],
  [
    "Gemini's order",
    new Error("Google Generative AI requires alternate messages between authors"),
    "PROVIDER_REJECTED",
  ],
];
