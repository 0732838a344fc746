/** Refusals that mean MODEL_RATE_LIMIT. */
import { bare, openai, sent } from "./sent-refusal.ts";

export const rateLimits = sent("MODEL_RATE_LIMIT", [
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
]);
