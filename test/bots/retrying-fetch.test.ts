import { describe, expect, test } from "vitest";
import { createRetryingFetch, type RetryOptions } from "../../src/bots/provider/retrying-fetch.ts";
import { ProviderTimeout } from "../../src/event-fetch/event-fetch.ts";

type Attempt = Response | Error;

/** A fetch that answers with each in turn, the last one again and again. */
function scripted(attempts: readonly (() => Attempt)[]) {
  const script = {
    calls: 0,
    fetch: async (..._request: Parameters<typeof fetch>): Promise<Response> => {
      const attempt = attempts[Math.min(script.calls, attempts.length - 1)]?.();
      script.calls += 1;
      if (attempt instanceof Response) return attempt;
      throw attempt;
    },
  };
  return script;
}

const status =
  (code: number, headers?: Record<string, string>, body = "words") =>
  () =>
    new Response(body, { status: code, ...(headers && { headers }) });
const refused = () => new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });

async function calls(
  attempts: readonly (() => Attempt)[],
  options: RetryOptions = {},
): Promise<{ calls: number; result: number | string }> {
  const script = scripted(attempts);
  const fetch = createRetryingFetch({ fetch: script.fetch, firstDelayMs: 1, ...options });
  const result = await fetch("http://provider.test").then(
    (response) => response.status,
    (error: unknown) => String(error),
  );
  return { calls: script.calls, result };
}

describe("tries again", () => {
  test.each([408, 429, 500, 502, 503, 504, 529])("after %i", async (code) => {
    expect(await calls([status(code), status(200)])).toEqual({ calls: 2, result: 200 });
  });

  test("where nobody answered", async () => {
    expect(await calls([refused, refused, status(200)])).toEqual({ calls: 3, result: 200 });
  });

  test("three times by default, as often as it is told, or never", async () => {
    expect(await calls([status(503)])).toEqual({ calls: 4, result: 503 });
    expect(await calls([status(503)], { maxRetries: 1 })).toEqual({ calls: 2, result: 503 });
    expect(await calls([refused], { maxRetries: 0 })).toMatchObject({ calls: 1 });
  });

  test("when the provider says so, by the exact figure of two", async () => {
    const both = status(429, { "retry-after": "31", "retry-after-ms": "1" });
    expect(await calls([both, status(200)])).toEqual({ calls: 2, result: 200 });
    const started = performance.now();
    const soon = status(429, { "retry-after-ms": "60" });
    expect(await calls([soon, status(200)])).toEqual({ calls: 2, result: 200 });
    expect(performance.now() - started).toBeGreaterThan(55);
  });
});

describe("does not try again", () => {
  test.each([200, 400, 401, 403, 404, 422])("after %i", async (code) => {
    expect(await calls([status(code)])).toEqual({ calls: 1, result: code });
  });

  test("where the provider asks for more patience than there is", async () => {
    const late = status(503, { "retry-after": "31" });
    expect(await calls([late])).toEqual({ calls: 1, result: 503 });
  });

  test("beyond its patience in total", async () => {
    const soon = status(503, { "retry-after-ms": "20" });
    expect(await calls([soon], { maxRetries: 100, maxWaitMs: 50 })).toEqual({
      calls: 3,
      result: 503,
    });
  });

  test("where the account has no credit, and hands on what the provider said", async () => {
    const script = scripted([status(429, {}, '{"error":{"code":"insufficient_quota"}}')]);
    const response = await createRetryingFetch({ fetch: script.fetch })("http://provider.test");
    expect(await response.text()).toContain("insufficient_quota");
    expect(script.calls).toBe(1);
  });

  test("where the provider let its time pass", async () => {
    const late = () => new ProviderTimeout("firstByte", 50);
    expect(await calls([late])).toMatchObject({ calls: 1 });
  });

  test("once it was stopped, also in the middle of waiting", async () => {
    const script = scripted([status(503)]);
    const fetch = createRetryingFetch({ fetch: script.fetch, firstDelayMs: 10_000 });
    const stopping = new AbortController();
    const answer = fetch("http://provider.test", { signal: stopping.signal });
    setImmediate(() => stopping.abort());
    await expect(answer).rejects.toThrow("aborted");
    expect(script.calls).toBe(1);
  });

  test.each([
    ["was refused", status(503), 503],
    ["failed", () => new Error("stopped by its caller"), "Error: stopped by its caller"],
  ])(
    "once it was stopped in an attempt that %s: that is told as it is",
    async (_how, attempt, told) => {
      const stopping = new AbortController();
      const script = scripted([attempt]);
      const fetch = createRetryingFetch({
        fetch: (...request) => {
          stopping.abort();
          return script.fetch(...request);
        },
      });
      const answer = fetch("http://provider.test", { signal: stopping.signal });
      expect(await answer.then((response) => response.status, String)).toBe(told);
      expect(script.calls).toBe(1);
    },
  );
});
