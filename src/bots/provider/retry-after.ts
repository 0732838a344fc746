/** How long a provider asks its callers to wait. */
import { parseRetryAfterMs } from "@langchain/core/utils/async_caller";

/** Milliseconds; `retry-after-ms`, which OpenAI sends beside `retry-after`, is the exact one. */
export function retryAfterOf(headers: Headers): number | undefined {
  return exactRetryAfterOf(headers) ?? parseRetryAfterMs(headers.get("retry-after"));
}

export function exactRetryAfterOf(headers: Headers): number | undefined {
  const ms = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
