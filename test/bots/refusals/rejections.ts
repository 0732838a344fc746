/** Refusals that mean PROVIDER_REJECTED. */
import { bare, invalid, openai, sent } from "./sent-refusal.ts";

export const rejections = sent("PROVIDER_REJECTED", [
  [
    "OpenAI, a setting",
    400,
    openai(
      "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
      { ...invalid, param: "temperature", code: "unsupported_value" },
    ),
  ],
  [
    "OpenAI, an open tool call",
    400,
    openai(
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
      { ...invalid, param: "messages.[3].role", code: null },
    ),
  ],
  [
    "DeepSeek, no money",
    402,
    openai("Insufficient Balance", {
      type: "unknown_error",
      param: null,
      code: "invalid_request_error",
    }),
  ],
  [
    "OpenRouter, no money",
    402,
    openai(
      "This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 1203.",
      { code: 402 },
    ),
  ],
  [
    "xAI, no money",
    429,
    {
      code: "Some resource has been exhausted",
      error:
        "Your team 0-0 has either used all available credits or reached its monthly spending limit.",
    },
  ],
  [
    "Anthropic, no money",
    400,
    openai(
      "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
      invalid,
    ),
  ],
  [
    "OpenRouter, moderation",
    403,
    openai("Your chosen model requires moderation and your input was flagged", {
      code: 403,
      metadata: { reasons: ["violence"] },
    }),
  ],
  [
    "Azure, a filter",
    400,
    openai(
      "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      { code: "content_filter", status: 400, param: "prompt" },
    ),
  ],
  [
    "Qwen, a filter",
    400,
    openai("Input data may contain inappropriate content.", {
      code: "data_inspection_failed",
      ...invalid,
    }),
  ],
  [
    "vLLM, a template",
    400,
    bare("Conversation roles must alternate user/assistant/user/assistant/...", {
      type: "BadRequestError",
      code: 400,
    }),
  ],
  [
    "llama-server, a template",
    500,
    openai("Conversation roles must alternate user/assistant/user/assistant/...", {
      code: 500,
      type: "server_error",
    }),
  ],
  [
    "Ollama, no tools",
    400,
    openai("registry.ollama.ai/library/gemma:2b does not support tools", { type: "api_error" }),
  ],
  [
    "FastAPI, a field",
    422,
    { detail: [{ type: "missing", loc: ["body", "messages"], msg: "Field required" }] },
  ],
  ["Mistral, a field", 422, bare("Extra inputs are not permitted", { ...invalid, code: null })],
  [
    "Gemini, a tool's name",
    400,
    [
      {
        error: {
          code: 400,
          message: "Invalid function name. Must start with a letter or an underscore.",
          status: "INVALID_ARGUMENT",
        },
      },
    ],
  ],
]);
