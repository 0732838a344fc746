/** Refusals as providers word them: of servers that speak OpenAI's protocol, and of other packages. */
import type { ErrorCode } from "../../src/protocol/errors.ts";

export interface SentRefusal {
  readonly from: string;
  readonly code: ErrorCode;
  /** 200 where the error stands inside of an answer that began as a good one. */
  readonly status: number;
  readonly body: object | string;
}

const openai = (message: string, more: object = {}) => ({ error: { message, ...more } });
const bare = (message: string, more: object = {}) => ({ object: "error", message, ...more });
const invalid = { type: "invalid_request_error" };

const sent = (code: ErrorCode, rows: readonly [string, number, object | string][]): SentRefusal[] =>
  rows.map(([from, status, body]) => ({ from, code, status, body }));

export const sentRefusals: readonly SentRefusal[] = [
  ...sent("CONTEXT_OVERFLOW", [
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
        error:
          "This model's maximum prompt length is 131072 but the request contains 136973 tokens.",
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
  ]),
  ...sent("MODEL_RATE_LIMIT", [
    [
      "OpenAI",
      429,
      openai(
        "Rate limit reached for gpt-4o in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.",
        { type: "requests", param: null, code: "rate_limit_exceeded" },
      ),
    ],
    [
      "OpenAI, without credit",
      429,
      openai("You exceeded your current quota, please check your plan and billing details.", {
        type: "insufficient_quota",
        param: null,
        code: "insufficient_quota",
      }),
    ],
    [
      "Groq, more than a minute has",
      413,
      openai(
        "Request too large for model `x` in organization `o` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 7000, please reduce your message size and try again.",
        { type: "tokens", code: "rate_limit_exceeded" },
      ),
    ],
    [
      "Azure",
      429,
      openai(
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-06-01 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 6 seconds.",
        { code: "429" },
      ),
    ],
    [
      "Gemini",
      429,
      [
        {
          error: {
            code: 429,
            message: "Resource has been exhausted (e.g. check quota).",
            status: "RESOURCE_EXHAUSTED",
          },
        },
      ],
    ],
    [
      "Mistral",
      429,
      bare("Service tier capacity exceeded for this model.", {
        type: "service_tier_capacity_exceeded",
        code: "3505",
      }),
    ],
    ["Bedrock", 429, { message: "Too many tokens, please wait before trying again." }],
    [
      "OpenRouter, in a 200",
      200,
      openai("Rate limit exceeded: free-models-per-min. ", {
        code: 429,
        metadata: { headers: { "X-RateLimit-Limit": "20" } },
      }),
    ],
    [
      "Qwen, in a 200",
      200,
      openai("Requests rate limit exceeded, please try again later.", {
        code: "limit_requests",
        type: "limit_requests",
      }),
    ],
    [
      "Moonshot",
      429,
      openai(
        "Your account org-x request reached max concurrency: 1, please try again after 1 seconds",
        { type: "rate_limit_reached_error" },
      ),
    ],
  ]),
  ...sent("PROVIDER_REJECTED", [
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
  ]),
  ...sent("MODEL_AUTHENTICATION", [
    [
      "OpenAI",
      401,
      openai(
        "Incorrect API key provided: sk-abcde***********wxyz. You can find your API key at https://platform.openai.com/account/api-keys.",
        { ...invalid, code: "invalid_api_key" },
      ),
    ],
    [
      "Gemini, as a 400",
      400,
      [
        {
          error: {
            code: 400,
            message: "API key not valid. Please pass a valid API key.",
            status: "INVALID_ARGUMENT",
          },
        },
      ],
    ],
    [
      "xAI, as a 400",
      400,
      {
        code: "Client specified an invalid argument",
        error:
          "Incorrect API key provided: xa***yz. You can obtain an API key from https://console.x.ai.",
      },
    ],
    ["vLLM", 401, { error: "Unauthorized" }],
    [
      "MiniMax, in a 200",
      200,
      {
        base_resp: {
          status_code: 1004,
          status_msg: "login fail: Please carry the API secret key in the 'Authorization' field",
        },
      },
    ],
    ["a proxy", 403, "<!doctype html><title>403 Forbidden</title>"],
  ]),
  ...sent("MODEL_NOT_FOUND", [
    [
      "OpenAI",
      404,
      openai("The model `gpt-9` does not exist or you do not have access to it.", {
        ...invalid,
        code: "model_not_found",
      }),
    ],
    ["OpenAI, as a 400", 400, openai("invalid model ID", invalid)],
    ["Ollama", 404, openai('model "x" not found, try pulling it first', { type: "api_error" })],
    [
      "vLLM",
      404,
      bare("The model `x` does not exist.", { type: "NotFoundError", param: null, code: 404 }),
    ],
    [
      "LM Studio",
      400,
      {
        error:
          "No models loaded. Please load a model in the developer page or use the 'lms load' command.",
      },
    ],
    [
      "LM Studio, another",
      400,
      openai(
        'Invalid model identifier "o4-mini". Please specify a valid downloaded model (e.g., qwen3-14b).',
        { ...invalid, param: "model", code: "model_not_found" },
      ),
    ],
    ["OpenRouter", 400, openai("foo/bar is not a valid model ID", { code: 400 })],
    [
      "DeepSeek",
      400,
      openai("Model Not Exist", { ...invalid, param: null, code: "invalid_request_error" }),
    ],
    ["Mistral", 400, bare("Invalid model: foo", { type: "invalid_model", code: "1500" })],
    ["Bedrock", 400, { message: "The provided model identifier is invalid." }],
    [
      "Azure",
      404,
      openai("The API deployment for this resource does not exist.", {
        code: "DeploymentNotFound",
      }),
    ],
    [
      "Groq, gone",
      400,
      openai("The model `x` has been decommissioned and is no longer supported.", {
        ...invalid,
        code: "model_decommissioned",
      }),
    ],
    [
      "SiliconFlow",
      400,
      { code: 20012, message: "Model does not exist. Please check it carefully.", data: null },
    ],
    ["Zhipu", 400, { error: { code: "1211", message: "模型不存在，请检查模型代码。" } }],
    [
      "LiteLLM",
      400,
      openai(
        "Invalid model name passed in model=x. Call `/v1/models` to view available models for your key.",
        { code: "400", type: "None" },
      ),
    ],
  ]),
  ...sent("PROVIDER_ERROR", [
    [
      "OpenAI",
      500,
      openai("The server had an error while processing your request. Sorry about that!", {
        type: "server_error",
        code: null,
      }),
    ],
    [
      "Anthropic",
      529,
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    ],
    [
      "llama-server, loading",
      503,
      openai("Loading model", { code: 503, type: "unavailable_error" }),
    ],
    [
      "OpenRouter, in a stream",
      200,
      openai("Provider disconnected unexpectedly", { code: "server_error" }),
    ],
    ["OpenRouter, overloaded in a stream", 200, openai("Overloaded", { code: 503 })],
    [
      "a proxy",
      502,
      "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>",
    ],
    ["Cloudflare", 520, "error code: 520"],
  ]),
  ...sent("PROVIDER_TIMEOUT", [
    ["a proxy", 504, "upstream request timeout"],
    ["Cloudflare", 524, "error code: 524"],
  ]),
];

const thrown = (name: string, message: string, fields: object): Error =>
  Object.assign(new Error(message), { name, ...fields });

/** What packages throw that have a protocol of their own, and LangChain before it asks anybody. */
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
