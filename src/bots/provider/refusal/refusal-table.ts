/**
 * What providers say when they refuse a request, and what it means: the first row that fits wins.
 * Where no row fits, the HTTP status decides (`codeOfStatus`). A new wording gets a row here and a
 * line in the table of its test. `provider` names who was seen to say it; it is not compared.
 */
import type { ErrorCode } from "../../../protocol/errors.ts";

export interface RefusalRow {
  readonly provider: string;
  /**
   * The HTTP status, or the one that an error in the body names. Left out: any but 401 and 429,
   * which say it all.
   */
  readonly status?: readonly (number | "none")[];
  /** What its `code`, its `type` or its `status` must be, one of them. */
  readonly label?: RegExp;
  /** What its words must hold. */
  readonly words?: RegExp;
  readonly means: ErrorCode;
}

export const refusalTable: readonly RefusalRow[] = [
  // The account, the place, the way of asking, under statuses that mean a key, a model or a limit. Before
  // all that read labels: these are often those of a key or a model as well.
  {
    provider: "OpenAI, Gemini, Anthropic, Groq, Azure, Cloudflare: from here nobody is served",
    words:
      /country, region, or territory not supported|user location is not supported|^(\d{3} )?request not allowed|check your network settings|virtual network\/firewall|public access is disabled|you have been blocked|attention required! \| cloudflare|^(\d{3} )?error code: 10\d\d/im,
    means: "PROVIDER_REJECTED",
  },
  {
    provider: "OpenRouter: nobody serves the model in the way that it is asked for",
    words:
      /no endpoints (found|available) (that (support|can)|matching)|no allowed providers are available/i,
    means: "PROVIDER_REJECTED",
  },
  {
    provider: "DeepSeek, OpenRouter, Anthropic, xAI, Qwen, Volcengine, Together, Google: no money",
    status: ["none", 400, 402, 403, 404, 412, 422, 429, 500],
    words:
      /insufficient (balance|credits?|funds)|credit balance is too low|requires more credits|credit limit exceeded|used all available credits|have any credits|spending limit|key limit exceeded|free quota has been exhausted|overdue balance|requires billing to be|quota is not enough/i,
    means: "PROVIDER_REJECTED",
  },
  {
    provider: "OpenAI, Zhipu, Qwen, Volcengine, one-api: no money, or an account that is closed",
    status: ["none", 400, 402, 403, 404, 429],
    label:
      /^(billing_not_active|1113|arrearage|allocationquota\.freetieronly|accountoverdueerror|insufficient_user_quota)$/i,
    means: "PROVIDER_REJECTED",
  },
  {
    provider: "Fireworks, OpenAI, Volcengine, Vertex, Bedrock, Groq: not for this account",
    status: [400, 403, 404, 412],
    words:
      /account \S{1,100} is suspended|organization must be verified|has not activated the model|api has not been used in project|don't have access to the model|is blocked at the (project|organization) level/i,
    means: "PROVIDER_REJECTED",
  },
  {
    provider: "OpenAI: what a conversation that it keeps refers to",
    status: [400, 404],
    words: /item with id .{1,200} not found|previous response with id .{1,200} not found/i,
    means: "PROVIDER_REJECTED",
  },
  {
    provider: "OpenAI, FastAPI, Ollama, LM Studio: an address where nobody listens",
    status: [404],
    words:
      /^(404 )?((404 )?page not found|not found)$|invalid url \(|unexpected endpoint or method/im,
    means: "PROVIDER_REJECTED",
  },
  {
    provider: "xAI: what is asked",
    status: [403],
    words: /content violates usage guidelines/i,
    means: "PROVIDER_REJECTED",
  },
  {
    provider: "Azure, Google: a quota",
    status: [403],
    words: /out of call volume quota|quota exceeded for|rate ?limit ?exceeded/i,
    means: "MODEL_RATE_LIMIT",
  },

  // Limits of a minute. Before the overflows, of which they speak in nearly the same words.
  {
    provider: "Groq, OpenAI, GitHub: more tokens than a minute has",
    status: [400, 413, 429],
    words: /tokens per (min|day|hour)|\((TPM|TPD|ITPM)\)|rate limit/i,
    means: "MODEL_RATE_LIMIT",
  },
  {
    provider: "Bedrock",
    words: /too many (tokens|requests), please wait|throttling(exception| error)/i,
    means: "MODEL_RATE_LIMIT",
  },
  {
    provider: "OpenAI, Azure, Groq, Anthropic, Gemini, Bedrock, Qwen, OpenRouter in a 200",
    label:
      /^(rate_limit(_exceeded|_error|_reached_error)?|too_?many_?requests(error)?|resource_exhausted|throttling.*|requests|insufficient_quota|quota_exceeded|exceeded_current_quota_error|limit_burst_rate|limit_requests)$/i,
    means: "MODEL_RATE_LIMIT",
  },

  // Longer than the model's context.
  {
    provider: "OpenAI, Azure, Groq, Cerebras, DeepSeek; llama-server; Copilot; GitHub; Anthropic",
    label:
      /^(context_length_exceeded|exceed_context_size_error|context_window_exceeded|model_max_prompt_tokens_exceeded|tokens_limit_reached|string_above_max_length|request_too_large|prompt_too_long)$/i,
    means: "CONTEXT_OVERFLOW",
  },
  {
    provider: "OpenAI, vLLM, SGLang, OpenRouter, Mistral, Fireworks, DeepSeek",
    words:
      /maximum context length|model's context length|maximum model length|context[_ ]length[_ ]exceeded/i,
    means: "CONTEXT_OVERFLOW",
  },
  {
    provider: "llama-server, llama-cpp-python, LM Studio, Ollama, TabbyAPI",
    words:
      /available context size|exceed(s|ed)? (the |this model's |model )?context (window|length|size)|context (the )?overflow|greater than (the context length|max_seq_len)|input length exceeds/i,
    means: "CONTEXT_OVERFLOW",
  },
  {
    provider: "OpenAI (Responses), MiniMax, Together",
    words:
      /context window (of|exceeds)|context window exceeded|input tokens exceed the configured limit/i,
    means: "CONTEXT_OVERFLOW",
  },
  {
    provider: "Anthropic, Bedrock, Vertex, Cohere",
    words:
      /prompt is too long|input is too long|prompt too long|too many (input )?tokens|content of your request is too long/i,
    means: "CONTEXT_OVERFLOW",
  },
  {
    provider: "Gemini",
    words: /input token count.{0,100}exceeds the maximum/i,
    means: "CONTEXT_OVERFLOW",
  },
  { provider: "xAI", words: /maximum prompt length is \d/i, means: "CONTEXT_OVERFLOW" },
  { provider: "Qwen", words: /range of input length should be/i, means: "CONTEXT_OVERFLOW" },
  {
    provider: "Groq, Cerebras",
    words: /reduce the length of the (messages|prompt|input)/i,
    means: "CONTEXT_OVERFLOW",
  },
  {
    provider: "Moonshot, Copilot, GitHub Models",
    words:
      /exceeded model token limit|prompt token count of \d+ exceeds|request body too large for .{1,100} max size: \d+ tokens/i,
    means: "CONTEXT_OVERFLOW",
  },
  {
    provider: "Text Generation Inference, Together, Hugging Face",
    words: /inputs` (tokens \+ `max_new_tokens` must be|must have less than)/i,
    means: "CONTEXT_OVERFLOW",
  },
  { provider: "Zhipu", label: /^1261$/, means: "CONTEXT_OVERFLOW" },

  // A key that is none, said with another status than 401.
  {
    provider: "Gemini, xAI, Anthropic",
    words:
      /api key not valid|incorrect api key|invalid api key|api key expired|credential is only authorized/i,
    means: "MODEL_AUTHENTICATION",
  },
  {
    provider: "OpenAI, Anthropic, Moonshot, MiniMax, in a 200 or a stream",
    label:
      /^(invalid_api_key|authentication_error|invalid_authentication_error|unauthorized|unauthenticated|permission_error|1004)$/i,
    means: "MODEL_AUTHENTICATION",
  },
  {
    provider: "OpenRouter: moderation, which comes as a 403",
    status: [403],
    words: /requires moderation|input was flagged/i,
    means: "PROVIDER_REJECTED",
  },

  // No such model.
  {
    provider: "OpenAI, LM Studio, Groq, Azure, Mistral, Perplexity, Together, Moonshot",
    label:
      /^(model_not_found|model_decommissioned|model_not_available|deploymentnotfound|invalid_model|resource_not_found_error|model_not_supported|1211|20012)$/i,
    means: "MODEL_NOT_FOUND",
  },
  {
    provider: "OpenRouter, DeepSeek, Mistral, Bedrock, LiteLLM, LM Studio, Ollama, SiliconFlow",
    words:
      /is not a valid model id|model not exist|invalid model( id|:| name| identifier)|model identifier is invalid|no models? loaded|model does not exist|model .{1,200} (does not exist|not found|was not found)|try pulling it first|could not find real modelid/i,
    means: "MODEL_NOT_FOUND",
  },

  // The request, what is in it.
  {
    provider: "Azure, Qwen, Zhipu: a filter of contents",
    label:
      /^(content_filter|content_policy_violation|data_inspection_failed|datainspectionfailed|1301)$/i,
    means: "PROVIDER_REJECTED",
  },
  {
    provider: "llama-server, vLLM: the model's template, which older versions answered with a 500",
    words:
      /roles must alternate|error rendering prompt with jinja|only (user|system).{0,40}roles? (is|are) supported|does not support (tools|images|vision)|tools param requires --jinja/i,
    means: "PROVIDER_REJECTED",
  },

  // Passing by, though the status says that the request is wrong.
  {
    provider: "Groq: what its model wrote could not be read, or its tier is full",
    label: /^(tool_use_failed|json_validate_failed|output_parse_failed|capacity_exceeded)$/i,
    means: "PROVIDER_ERROR",
  },
  {
    provider: "Anthropic, OpenRouter, Moonshot: too much to do",
    label:
      /^(overloaded_error|engine_overloaded_error|server_overloaded|service_unavailable|unavailable)$/i,
    means: "PROVIDER_ERROR",
  },

  // What a request cannot be made of: LangChain's own words, before anything was sent.
  {
    provider: "LangChain's converters",
    words:
      /\b(image|audio|video|file|pdf)s?\b.{0,60}\b(not supported|unsupported|must have mime type|must be formatted)|(unsupported|unknown|unrecognized|invalid) (message|content|block|role|mime|media|image|file|data)[\w -]{0,40}(type|format|block|role|url|source)|unable to coerce message|invalid generic chat message|a filename or name or title is needed|please provide image as base64|system messages? (are only permitted|should be the first)|requires alternate messages/i,
    means: "PROVIDER_REJECTED",
  },
];
