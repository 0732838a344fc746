/** Refusals for the account, the place or the way it is asked, under statuses that mean a key or a model. */
import { bare, invalid, openai, type SentRefusal, sent } from "./sent-refusal.ts";

const rejected = sent("PROVIDER_REJECTED", [
  [
    "OpenAI, a country",
    403,
    openai("Country, region, or territory not supported", {
      type: "request_forbidden",
      param: null,
      code: "unsupported_country_region_territory",
    }),
  ],
  [
    "OpenAI, a country, through a gateway that keeps the words alone",
    403,
    openai("Country, region, or territory not supported (request id: 2024)"),
  ],
  [
    "Gemini, a country",
    400,
    [
      {
        error: {
          code: 400,
          message: "User location is not supported for the API use.",
          status: "FAILED_PRECONDITION",
        },
      },
    ],
  ],
  [
    "Anthropic, a country",
    403,
    { type: "error", error: { type: "forbidden", message: "Request not allowed" } },
  ],
  ["Groq, a network", 403, openai("Access denied. Please check your network settings.")],
  [
    "Azure, a network",
    403,
    openai("Access denied due to Virtual Network/Firewall rules.", { code: "AccessDenied" }),
  ],
  [
    "Azure, a private endpoint",
    403,
    openai("Public access is disabled. Please configure private endpoint.", { code: "403" }),
  ],
  [
    "Cloudflare, a block",
    403,
    "<html><head><title>Attention Required! | Cloudflare</title></head><body>Sorry, you have been blocked</body></html>",
  ],
  ["Cloudflare, a number", 403, "error code: 1010"],
  [
    "OpenRouter, tools",
    404,
    openai(
      "No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing",
      { code: 404 },
    ),
  ],
  [
    "OpenRouter, pictures",
    404,
    openai("No endpoints found that support image input", { code: 404 }),
  ],
  [
    "OpenRouter, parameters",
    404,
    openai("No endpoints found that can handle the requested parameters.", { code: 404 }),
  ],
  [
    "OpenRouter, a data policy",
    404,
    openai(
      "No endpoints found matching your data policy (Free model publication). Configure: https://openrouter.ai/settings/privacy",
      { code: 404 },
    ),
  ],
  [
    "OpenRouter, a guardrail",
    404,
    openai(
      "No endpoints available matching your guardrail restrictions and data policy. Configure: https://openrouter.ai/settings/privacy",
      { code: 404 },
    ),
  ],
  [
    "OpenRouter, a choice of providers",
    404,
    openai("No allowed providers are available for the selected model.", { code: 404 }),
  ],
  [
    "OpenRouter, a key's limit",
    403,
    openai(
      "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys",
      {
        code: 403,
      },
    ),
  ],
  [
    "xAI, no money",
    403,
    {
      code: "The caller does not have permission to execute the specified operation",
      error: "Your newly created team doesn't have any credits or licenses yet.",
    },
  ],
  [
    "xAI, what is asked",
    403,
    {
      code: "The caller does not have permission to execute the specified operation",
      error: "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_DATA_LEAKAGE",
    },
  ],
  [
    "Qwen, a free quota",
    403,
    openai("The free quota has been exhausted. To continue, complete your payment information.", {
      type: "AllocationQuota.FreeTierOnly",
      code: "AllocationQuota.FreeTierOnly",
    }),
  ],
  [
    "Qwen, a debt",
    400,
    openai("Access denied, please make sure your account is in good standing.", {
      type: "Arrearage",
      code: "Arrearage",
    }),
  ],
  [
    "Volcengine, a debt",
    403,
    openai("The request failed because your account has an overdue balance.", {
      type: "Forbidden",
      code: "AccountOverdueError",
    }),
  ],
  [
    "Volcengine, a model that is not open",
    404,
    openai("Your account 2100 has not activated the model doubao. Please activate the model.", {
      type: "NotFound",
      code: "ModelNotOpen",
    }),
  ],
  ["Zhipu, no money", 429, { error: { code: "1113", message: "余额不足或无可用资源包,请充值。" } }],
  [
    "a gateway, no money",
    403,
    openai("user quota is not enough", { type: "v_api_error", code: "insufficient_user_quota" }),
  ],
  [
    "Together, no money",
    402,
    openai("Credit limit exceeded, please navigate to https://api.together.xyz/settings/billing", {
      type: "credit_limit",
      code: null,
    }),
  ],
  [
    "Fireworks, an account",
    412,
    openai(
      "Account a is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices.",
      { object: "error", type: "PRECONDITION_FAILED" },
    ),
  ],
  [
    "Fireworks, an account, as a 403",
    403,
    openai("Account a is suspended.", { code: "FORBIDDEN" }),
  ],
  [
    "OpenAI, an account",
    429,
    openai("Your account is not active, please check your billing details on our website.", {
      type: "billing_not_active",
      code: "billing_not_active",
    }),
  ],
  [
    "OpenAI, a verification",
    404,
    openai("Your organization must be verified to use the model `o3`.", {
      ...invalid,
      code: "model_not_found",
    }),
  ],
  [
    "OpenAI, a message that it has not kept",
    404,
    openai("Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.", {
      ...invalid,
      param: "input",
      code: null,
    }),
  ],
  [
    "OpenAI, an answer that it has not kept",
    404,
    openai("Previous response with id 'resp_1' not found.", {
      ...invalid,
      code: "previous_response_not_found",
    }),
  ],
  ["OpenAI, an address", 404, openai("Invalid URL (POST /chat/completions)", invalid)],
  ["FastAPI, an address", 404, { detail: "Not Found" }],
  ["Ollama, an address", 404, "404 page not found"],
  ["LM Studio, an address", 404, { error: "Unexpected endpoint or method. (POST /chat)" }],
  [
    "Vertex, a service",
    403,
    [
      {
        error: {
          code: 403,
          message:
            "Vertex AI API has not been used in project 1 before or it is disabled. Enable it by visiting https://console.developers.google.com",
          status: "PERMISSION_DENIED",
        },
      },
    ],
  ],
  [
    "Vertex, billing",
    403,
    [
      {
        error: {
          code: 403,
          message: "This API method requires billing to be enabled.",
          status: "PERMISSION_DENIED",
        },
      },
    ],
  ],
  [
    "Bedrock, a model without access",
    403,
    { message: "You don't have access to the model with the specified model ID." },
  ],
  [
    "Groq, a model that the project has not",
    403,
    openai("The model `x` is blocked at the project level.", {
      type: "permissions_error",
      code: "model_permission_blocked_project",
    }),
  ],
  [
    "Azure, a filter, nested",
    400,
    openai("The response was filtered due to the prompt triggering content management policy.", {
      code: null,
      innererror: { code: "ResponsibleAIPolicyViolation" },
    }),
  ],
]);

const passing = sent("PROVIDER_ERROR", [
  [
    "Groq, a call that the model spoiled",
    400,
    openai("Failed to call a function. Please adjust your prompt.", {
      ...invalid,
      code: "tool_use_failed",
      failed_generation: "<function=look>",
    }),
  ],
  [
    "Groq, JSON that the model spoiled",
    400,
    openai("Failed to generate JSON. Please adjust your prompt.", {
      ...invalid,
      code: "json_validate_failed",
    }),
  ],
  [
    "Groq, a full tier",
    498,
    openai("Flex tier capacity exceeded for model `x`.", { code: "capacity_exceeded" }),
  ],
  ["Bedrock, its model", 424, { message: "The system encountered an unexpected error." }],
]);

const limits = sent("MODEL_RATE_LIMIT", [
  ["Azure, a quota", 403, bare("Out of call volume quota. Quota will be replenished in 02:59:44.")],
  [
    "Google, a quota",
    403,
    openai("Quota exceeded for quota metric 'Requests' of service.", { code: 403 }),
  ],
]);

const stillKeys = sent("MODEL_AUTHENTICATION", [
  [
    "Gemini, a permission",
    403,
    [
      {
        error: {
          code: 403,
          message: "The caller does not have permission",
          status: "PERMISSION_DENIED",
        },
      },
    ],
  ],
  [
    "Anthropic, a credential of another product",
    400,
    openai("This credential is only authorized for use with Claude Code.", invalid),
  ],
]);

const stillModels = sent("MODEL_NOT_FOUND", [
  [
    "OpenRouter, without an end point",
    404,
    openai("No endpoints found for foo/bar.", { code: 404 }),
  ],
]);

export const accounts: readonly SentRefusal[] = [
  ...rejected,
  ...passing,
  ...limits,
  ...stillKeys,
  ...stillModels,
];
