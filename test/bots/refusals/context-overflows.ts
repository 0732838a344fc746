/** Refusals that mean CONTEXT_OVERFLOW. */
import { bare, invalid, openai, sent } from "./sent-refusal.ts";

export const contextOverflows = sent("CONTEXT_OVERFLOW", [
  [
    "OpenAI",
    400,
    openai(
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please reduce the length of the messages.",
      { ...invalid, param: "messages", code: "context_length_exceeded" },
    ),
  ],
  [
    "OpenAI, newer",
    400,
    openai(
      "Your input exceeds the context window of this model. Please adjust your input and try again.",
      invalid,
    ),
  ],
  [
    "OpenAI, with a limit",
    400,
    openai(
      "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens.",
      invalid,
    ),
  ],
  [
    "llama-server",
    400,
    openai(
      "request (9100 tokens) exceeds the available context size (8192 tokens), try increasing it",
      { code: 400, type: "exceed_context_size_error", n_prompt_tokens: 9100, n_ctx: 8192 },
    ),
  ],
  [
    "llama-server, older",
    500,
    openai(
      "the request exceeds the available context size. try increasing the context size or enable context shift",
      { code: 500, type: "server_error" },
    ),
  ],
  [
    "llama-cpp-python",
    400,
    openai(
      "This model's maximum context length is 2048 tokens. However, you requested 2500 tokens (2000 in the messages, 500 in the completion).",
      { ...invalid, param: "messages", code: "context_length_exceeded" },
    ),
  ],
  [
    "llama-cpp-python, as a 500",
    500,
    openai("Requested tokens (2500) exceed context window of 2048", {
      type: "internal_server_error",
    }),
  ],
  [
    "vLLM",
    400,
    bare(
      "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens in the messages, Please reduce the length of the messages.",
      { type: "BadRequestError", param: null, code: 400 },
    ),
  ],
  [
    "vLLM, newer",
    400,
    openai(
      "The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that `max_model_len` is no smaller than the number of text tokens.",
      { type: "BadRequestError", param: null, code: 400 },
    ),
  ],
  [
    "SGLang",
    400,
    bare("The input (5004 tokens) is longer than the model's context length (4096 tokens).", {
      type: "BadRequestError",
      code: 400,
    }),
  ],
  [
    "LM Studio",
    400,
    {
      error:
        "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
    },
  ],
  [
    "LM Studio, newer",
    400,
    {
      error:
        "The number of tokens to keep from the initial prompt is greater than the context length.",
    },
  ],
  ["TabbyAPI", 400, openai("Prompt length 5000 is greater than max_seq_len 4096")],
  [
    "Ollama",
    400,
    openai("the input length exceeds the context length", {
      type: "invalid_request_error",
      param: null,
      code: null,
    }),
  ],
  [
    "Text Generation Inference",
    422,
    {
      error:
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 20 `max_new_tokens`",
      error_type: "validation",
    },
  ],
  [
    "Gemini",
    400,
    [
      {
        error: {
          code: 400,
          message:
            "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
          status: "INVALID_ARGUMENT",
        },
      },
    ],
  ],
  [
    "Qwen",
    400,
    openai(
      "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
      { code: "invalid_parameter_error", ...invalid },
    ),
  ],
  [
    "xAI",
    400,
    {
      code: "Client specified an invalid argument",
      error: "This model's maximum prompt length is 131072 but the request contains 136973 tokens.",
    },
  ],
  ["Bedrock", 400, openai("Input is too long for requested model.", invalid)],
  [
    "Bedrock, with counts",
    400,
    {
      message:
        "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9279 ",
    },
  ],
  [
    "Mistral",
    400,
    bare(
      "Prompt contains 33000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
      { ...invalid, param: null, code: "3051" },
    ),
  ],
  [
    "Groq",
    400,
    openai("Please reduce the length of the messages or completion.", {
      ...invalid,
      param: "messages",
      code: "context_length_exceeded",
    }),
  ],
  [
    "Cerebras",
    400,
    {
      message:
        "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
      ...invalid,
      param: "messages",
      code: "context_length_exceeded",
    },
  ],
  [
    "OpenRouter",
    400,
    openai(
      "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens (40000 of text input). Please reduce the length of either one.",
      { code: 400, metadata: { provider_name: null } },
    ),
  ],
  [
    "OpenRouter, for Anthropic",
    400,
    openai("Provider returned error", {
      code: 400,
      metadata: {
        raw: '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 213462 tokens > 200000 maximum"}}',
        provider_name: "Anthropic",
      },
    }),
  ],
  [
    "Moonshot",
    400,
    openai("Invalid request: Your request exceeded model token limit: 8192", invalid),
  ],
  [
    "GitHub Models",
    413,
    openai("Request body too large for gpt-4o model. Max size: 8000 tokens.", {
      code: "tokens_limit_reached",
    }),
  ],
  [
    "Copilot",
    400,
    openai("prompt token count of 70000 exceeds the limit of 64000", {
      code: "model_max_prompt_tokens_exceeded",
    }),
  ],
  ["Zhipu", 400, { error: { code: "1261", message: "Prompt 超长" } }],
  [
    "MiniMax",
    400,
    {
      type: "error",
      error: {
        type: "bad_request_error",
        message: "invalid params, context window exceeds limit (2013)",
        http_code: "400",
      },
    },
  ],
  [
    "llama-server, in a stream",
    200,
    openai("the request exceeds the available context size. try increasing the context size", {
      code: 400,
      type: "exceed_context_size_error",
    }),
  ],
  ["a proxy", 413, "<html><body><h1>413 Request Entity Too Large</h1></body></html>"],
]);
