/** Why a server took no socket, from what it answers over HTTP; and tRPC's errors in the client's words. */
import { TRPCClientError } from "@trpc/client";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Connection } from "../../client/src/connection/connection.ts";
import { explainRefusal } from "../../client/src/connection/explain.ts";
import {
  closedError,
  isUnheard,
  LangwireClientError,
  toClientError,
} from "../../client/src/errors.ts";
import { now, refusalOf, wait } from "./scripted-link.ts";

const url = "http://localhost:1/trpc/bots.list";

function explain(
  answer: (signal: AbortSignal) => Promise<Response>,
  headers?: Record<string, string>,
) {
  vi.useFakeTimers();
  const fetch = vi.fn((_url: string, init: RequestInit) => answer(init.signal as AbortSignal));
  vi.stubGlobal("fetch", fetch);
  onTestFinished(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const connection = new Connection();
  const asked = { timeoutMs: 500, connection, ...(headers && { headers }) };
  return { connection, fetch, reason: explainRefusal(url, asked) };
}

const page = `There is no Langwire server at ${url}.`;
const langwire = { code: "OVERLOADED", message: "Busy.", retryable: true, retryAfterMs: 7 };
const told = JSON.stringify({
  error: { json: { message: "Busy.", code: -32_000, data: { langwire } } },
});
const later = (seconds: string) => ({ headers: { "retry-after": seconds } });

describe("an answer of", () => {
  test.each([
    [401, "", {}, { code: "UNAUTHORIZED", message: `${page} (HTTP 401)`, retryable: false }],
    [403, "", {}, { code: "UNAUTHORIZED", retryable: false, retryAfterMs: undefined }],
    [404, "<html>", {}, { code: "NOT_FOUND", message: `${page} (HTTP 404)`, retryable: false }],
    [404, "{}", {}, { code: "NOT_FOUND", message: `${page} (HTTP 404)`, retryable: false }],
    [400, "", {}, { code: "UNREACHABLE", retryable: false }],
    [499, "", {}, { code: "UNREACHABLE", retryable: false }],
    [408, "", {}, { code: "UNREACHABLE", retryable: true }],
    [429, "", later("3"), { code: "RATE_LIMITED", retryable: true, retryAfterMs: 3_000 }],
    [500, "{}", later("0"), { code: "UNREACHABLE", retryable: true, retryAfterMs: 0 }],
    [503, "null", later("soon"), { code: "UNREACHABLE", retryable: true, retryAfterMs: undefined }],
    [503, "[]", later("-1"), { code: "UNREACHABLE", retryable: true, retryAfterMs: undefined }],
    [503, told, later("9"), { ...langwire, message: "Busy. (HTTP 503)" }],
    [404, told, {}, { ...langwire, message: "Busy. (HTTP 404)" }],
  ] as const)("%i %s", async (status, body, init, expected) => {
    const { reason } = explain(async () => new Response(body, { status, ...init }), {});
    expect(await reason).toBeInstanceOf(LangwireClientError);
    expect(await reason).toMatchObject({ status, ...expected });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a Langwire server has what it told as its cause, and one of anything else has none", async () => {
    const causeOf = async (body: string) => {
      const { reason } = explain(async () => new Response(body, { status: 503 }), {});
      return (await reason)?.cause;
    };
    expect(await causeOf(told)).toMatchObject({ ...langwire, status: undefined });
    expect(await causeOf("<html>")).toBeUndefined();
  });

  test("what lets the caller in is no reason, nor is it a reason that credentials are missing", async () => {
    expect(await explain(async () => new Response("[]"), {}).reason).toBeUndefined();
    const unauthorized = async () => new Response("", { status: 401 });
    const { fetch, reason } = explain(unauthorized);
    expect(await reason).toBeUndefined();
    expect(fetch).toHaveBeenCalledExactlyOnceWith(url, { signal: expect.any(AbortSignal) });
    const forbidden = await explain(async () => new Response("", { status: 403 })).reason;
    expect(forbidden).toMatchObject({ code: "UNAUTHORIZED" });
  });

  test("credentials go along", async () => {
    const headers = { authorization: "Bearer x" };
    const { fetch } = explain(async () => new Response("[]"), headers);
    expect(fetch.mock.calls[0]?.[1]).toMatchObject({ headers });
  });
});

describe("no answer", () => {
  const refused = Object.assign(new Error(), { code: "ECONNREFUSED" });
  const unknown = Object.assign(new Error(), { code: "ENOTFOUND" });
  test.each([
    ["ECONNREFUSED", new TypeError("", { cause: refused }), ": connection refused."],
    ["another reason", new TypeError("", { cause: unknown }), ": ENOTFOUND."],
    ["no reason, as in a page", new TypeError("Failed to fetch"), "."],
  ])("for %s", async (_what, cause, ending) => {
    const { reason } = explain(() => Promise.reject(cause));
    const message = `The server cannot be reached at http://localhost:1${ending}`;
    expect(await reason).toMatchObject({ code: "UNREACHABLE", retryable: true, message });
    expect(vi.getTimerCount()).toBe(0);
  });

  const never = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });

  test("is waited for no longer than the client is open", async () => {
    const { connection, reason } = explain(never);
    connection.change("connecting");
    expect(await now(reason)).toBe("waits");
    connection.change("closed");
    expect(await now(reason)).toMatchObject({ code: "UNREACHABLE" });
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each(["headers", "body"])(
    "is waited for no longer than the time allows: %s",
    async (what) => {
      const { reason } = explain(async (signal) =>
        what === "headers"
          ? never(signal)
          : Object.assign(new Response("", { status: 500 }), { text: () => never(signal) }),
      );
      await wait(499);
      expect(await now(reason)).toBe("waits");
      await wait(1);
      const message = "The server cannot be reached at http://localhost:1: no answer in time.";
      expect(await now(reason)).toMatchObject({ code: "UNREACHABLE", message });
    },
  );
});

describe("an error of tRPC's", () => {
  test("that the server told has its words", () => {
    const cause = refusalOf({ ...langwire, code: "OVERLOADED", detail: "at x" });
    const error = toClientError(cause);
    expect(error).toMatchObject({
      ...langwire,
      name: "LangwireClientError",
      detail: "at x",
      cause,
    });
    expect(error).toMatchObject({ partialText: "", status: undefined });
  });

  test("that it did not tell is no answer, whatever it is", () => {
    for (const cause of [
      new Error("lost"),
      { error: undefined },
      TRPCClientError.from(new Error()),
    ]) {
      const message = "The server cannot be reached.";
      const expected = { code: "UNREACHABLE", message, retryable: true, cause };
      expect(toClientError(cause)).toMatchObject(expected);
    }
  });

  test("that wraps one of this client's is that one", () => {
    const closed = closedError();
    expect(closed).toMatchObject({
      code: "CLOSED",
      message: "Ended by this client.",
      retryable: false,
    });
    expect(toClientError(closed)).toBe(closed);
    const wrapped = TRPCClientError.from(new Error("outer", { cause: closed }));
    expect(toClientError(wrapped)).toBe(closed);
  });
});

test.each<[ConstructorParameters<typeof LangwireClientError>[0]["code"], object, boolean]>([
  ["UNREACHABLE", {}, true],
  ["AUTH_UNAVAILABLE", {}, true],
  ["OVERLOADED", { retryable: true, unheard: true }, true],
  ["OVERLOADED", { retryable: true }, false],
  ["BAD_INPUT", { unheard: true }, false],
  ["CLOSED", {}, false],
])("%s with %j may be asked again without having been done: %s", (code, more, may) => {
  expect(isUnheard(new LangwireClientError({ code, message: "No.", ...more }))).toBe(may);
});
