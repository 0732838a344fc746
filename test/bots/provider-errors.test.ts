import { ContextOverflowError } from "@langchain/core/errors";
import { describe, expect, test } from "vitest";
import { classifyError, type ErrorSource } from "../../src/bots/provider/provider-errors.ts";
import { unreachable } from "../../src/bots/provider/unreachable.ts";
import { type ErrorCode, errorTable, LangwireError } from "../../src/protocol/errors.ts";

const withFields = (fields: object, message = "secret words") =>
  Object.assign(new Error(message), fields);
const behind = (cause: unknown) => new Error("outer", { cause });

const rows: readonly [string, unknown, ErrorSource, ErrorCode, number?][] = [
  [
    "LangChain's rate limit",
    withFields({ lc_error_code: "MODEL_RATE_LIMIT", retryAfterMs: 1500 }),
    "llm",
    "MODEL_RATE_LIMIT",
    1500,
  ],
  [
    "the same, seen from a chain",
    withFields({ lc_error_code: "MODEL_RATE_LIMIT" }),
    "chain",
    "MODEL_RATE_LIMIT",
  ],
  [
    "a 429 with Retry-After",
    withFields({ status: 429, headers: new Headers({ "retry-after": "3" }) }),
    "llm",
    "MODEL_RATE_LIMIT",
    3000,
  ],
  [
    "a 429 that says it in milliseconds too",
    withFields({
      status: 429,
      // LangChain's own, which it reads from Retry-After.
      retryAfterMs: 1_000,
      headers: new Headers({ "retry-after": "1", "retry-after-ms": "130.5" }),
    }),
    "llm",
    "MODEL_RATE_LIMIT",
    131,
  ],
  [
    "a 429 with milliseconds that are none",
    withFields({
      status: 429,
      headers: new Headers({ "retry-after": "2", "retry-after-ms": "soon" }),
    }),
    "llm",
    "MODEL_RATE_LIMIT",
    2_000,
  ],
  [
    "LangChain's authentication",
    withFields({ lc_error_code: "MODEL_AUTHENTICATION" }),
    "llm",
    "MODEL_AUTHENTICATION",
  ],
  ["a 401", withFields({ status: 401 }), "llm", "MODEL_AUTHENTICATION"],
  ["a 403", withFields({ statusCode: 403 }), "llm", "MODEL_AUTHENTICATION"],
  [
    "LangChain's missing model",
    withFields({ lc_error_code: "MODEL_NOT_FOUND" }),
    "llm",
    "MODEL_NOT_FOUND",
  ],
  ["a 404", withFields({ status: 404 }), "llm", "MODEL_NOT_FOUND"],
  ["a 404 that a tool met", withFields({ status: 404 }), "tool", "TOOL_FAILED"],
  ["LangChain's overflow", new ContextOverflowError("x"), "llm", "CONTEXT_OVERFLOW"],
  [
    "OpenAI's overflow",
    withFields({ status: 400, code: "context_length_exceeded" }),
    "llm",
    "CONTEXT_OVERFLOW",
  ],
  [
    "an overflow in words",
    withFields({ status: 400 }, "prompt is too long: 9 tokens"),
    "llm",
    "CONTEXT_OVERFLOW",
  ],
  ["a 400", withFields({ status: 400 }), "llm", "PROVIDER_REJECTED"],
  ["a 413", withFields({ status: 413 }), "llm", "CONTEXT_OVERFLOW"],
  ["a 408", withFields({ status: 408 }), "llm", "PROVIDER_TIMEOUT"],
  ["a 500", withFields({ status: 500 }), "llm", "PROVIDER_ERROR"],
  ["a 504", withFields({ status: 504 }), "llm", "PROVIDER_TIMEOUT"],
  ["a timeout by name", withFields({ name: "TimeoutError" }), "llm", "PROVIDER_TIMEOUT"],
  [
    "a timeout deep inside",
    behind(behind(withFields({ code: "UND_ERR_HEADERS_TIMEOUT" }))),
    "llm",
    "PROVIDER_TIMEOUT",
  ],
  [
    "a stall of ours, deep inside",
    behind(behind(new LangwireError("PROVIDER_TIMEOUT"))),
    "chain",
    "PROVIDER_TIMEOUT",
  ],
  ["a cut stream", new TypeError("terminated"), "llm", "PROVIDER_ERROR"],
  ["a refused connection", behind(withFields({ code: "ECONNREFUSED" })), "llm", "PROVIDER_ERROR"],
  ["an abort that was not ours", withFields({ name: "AbortError" }), "llm", "PROVIDER_ERROR"],
  ["a timeout of a tool", withFields({ name: "TimeoutError" }), "tool", "TOOL_FAILED"],
  ["a failed tool", new Error("x"), "tool", "TOOL_FAILED"],
  ["a failed retriever", new Error("x"), "retriever", "BOT_FAILED"],
  ["a failed chain", new Error("x"), "chain", "BOT_FAILED"],
  ["a text that was thrown", "x", "chain", "BOT_FAILED"],
  ["nothing that was thrown", undefined, "llm", "PROVIDER_ERROR"],
];

describe("the code of", () => {
  test.each(rows)("%s", (_what, cause, source, code, retryAfterMs) => {
    const error = classifyError(cause, source);
    expect(error.code).toBe(code);
    expect(error.message).toBe(errorTable[code].meaning);
    expect(error.retryAfterMs).toBe(retryAfterMs);
  });

  test("a cause that is its own cause, or that cannot be read", () => {
    const ring: Error & { cause?: unknown } = new Error("x");
    ring.cause = ring;
    expect(classifyError(ring, "llm").code).toBe("PROVIDER_ERROR");
    const unreadable = new Proxy(
      {},
      {
        get() {
          throw new Error("secret");
        },
      },
    );
    expect(classifyError(unreadable, "tool").code).toBe("TOOL_FAILED");
  });
});

test("the cause is kept for the server's log", () => {
  const cause = new Error("secret words");
  expect(classifyError(cause, "tool").cause).toBe(cause);
});

test("errors that hold each other as their causes are looked at in part", () => {
  const [one, other] = [withFields({}), withFields({})];
  Object.assign(one, { cause: other });
  Object.assign(other, { cause: one });
  expect(classifyError(one, "chain").code).toBe("BOT_FAILED");
  expect(unreachable(one)).toBeUndefined();
});
