/** Refusals for a key, for a model, for nothing that the caller did. */
import { bare, invalid, openai, sent } from "./sent-refusal.ts";

export const keys = sent("MODEL_AUTHENTICATION", [
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
]);
export const models = sent("MODEL_NOT_FOUND", [
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
]);
export const failures = sent("PROVIDER_ERROR", [
  [
    "OpenAI",
    500,
    openai("The server had an error while processing your request. Sorry about that!", {
      type: "server_error",
      code: null,
    }),
  ],
  ["Anthropic", 529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }],
  ["llama-server, loading", 503, openai("Loading model", { code: 503, type: "unavailable_error" })],
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
]);
export const timeouts = sent("PROVIDER_TIMEOUT", [
  ["a proxy", 504, "upstream request timeout"],
  ["Cloudflare", 524, "error code: 524"],
]);
