/** How long a provider asks its callers to wait. */
import { parseRetryAfterMs } from "@langchain/core/utils/async_caller";

/** As long as a timer can run, which is 24 days: with more, it would run out at once. */
const waitAtMostMs = 2 ** 31 - 1;

/** A wait in whole milliseconds, from whatever somebody says it is; undefined where it is none. */
export function waitMsOf(said: unknown): number | undefined {
  if (typeof said !== "number" || !Number.isFinite(said) || said < 0) return undefined;
  return Math.min(Math.ceil(said), waitAtMostMs);
}

/** Milliseconds; `retry-after-ms`, which OpenAI sends beside `retry-after`, is the exact one. */
export function retryAfterOf(headers: Headers): number | undefined {
  return exactRetryAfterOf(headers) ?? parseRetryAfterMs(headers.get("retry-after"));
}

export function exactRetryAfterOf(headers: Headers): number | undefined {
  const ms = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
