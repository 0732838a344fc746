/**
 * From whatever was thrown to one row of the error table. Pure: it looks at the cause and at the
 * causes behind it, and at where it was thrown. The cause's own words never go into the message.
 */
import { ProviderTimeout } from "../../event-fetch/event-fetch.ts";
import { type ErrorCode, LangwireError } from "../../protocol/errors.ts";
import { botErrorCode } from "../failures/bot-errors.ts";
import { exactRetryAfterOf, retryAfterOf } from "./retry-after.ts";

/** The kind of span in which something was thrown. */
export type ErrorSource = "llm" | "chain" | "tool" | "retriever";

const noHeaders = new Headers();
/** Causes behind causes are looked at this deep. */
const causesAtMost = 8;

export function classifyError(cause: unknown, source: ErrorSource): LangwireError {
  for (const error of causesOf(cause)) {
    if (error instanceof LangwireError) return error;
    if (error instanceof ProviderTimeout) {
      return new LangwireError("PROVIDER_TIMEOUT", { message: error.message, cause });
    }
    const link = linkOf(error);
    const code =
      botErrorCode(link) ?? modelCode(link) ?? (source === "llm" ? providerCode(link) : undefined);
    if (code === undefined) continue;
    const retryAfterMs = code === "MODEL_RATE_LIMIT" ? waitOf(link) : undefined;
    return new LangwireError(code, { cause, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  }
  return new LangwireError(unknownCode[source], { cause });
}

const unknownCode: Record<ErrorSource, ErrorCode> = {
  llm: "PROVIDER_ERROR",
  tool: "TOOL_FAILED",
  chain: "BOT_FAILED",
  retriever: "BOT_FAILED",
};

/** What LangChain has recognised as a model's error: true wherever it surfaces. */
function modelCode(link: Link): ErrorCode | undefined {
  switch (link.langChainCode) {
    case "MODEL_RATE_LIMIT":
    case "MODEL_AUTHENTICATION":
    case "MODEL_NOT_FOUND":
      return link.langChainCode;
  }
  if (link.name === "ContextOverflowError" || link.code === "context_length_exceeded") {
    return "CONTEXT_OVERFLOW";
  }
  return undefined;
}

const overflowWords =
  /context[_ ]length|maximum context|context window|prompt is too long|too many tokens/i;

const timeoutNames = new Set(["TimeoutError", "APIConnectionTimeoutError"]);
const timeoutCodes = new Set([
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** What only makes sense of an error that came out of a call to a provider. */
function providerCode(link: Link): ErrorCode | undefined {
  switch (link.status) {
    case 401:
    case 403:
      return "MODEL_AUTHENTICATION";
    case 404:
      return "MODEL_NOT_FOUND";
    case 408:
    case 504:
      return "PROVIDER_TIMEOUT";
    case 413:
      return "CONTEXT_OVERFLOW";
    case 429:
      return "MODEL_RATE_LIMIT";
    case 400:
      return overflowWords.test(link.message) ? "CONTEXT_OVERFLOW" : "PROVIDER_ERROR";
  }
  if (timeoutNames.has(link.name) || timeoutCodes.has(link.code)) return "PROVIDER_TIMEOUT";
  return undefined;
}

/** LangChain's own figure comes from `retry-after`, in whole seconds, or from the message. */
function waitOf({ headers, retryAfterMs }: Link): number | undefined {
  const ms = exactRetryAfterOf(headers) ?? retryAfterMs ?? retryAfterOf(headers);
  return ms === undefined ? undefined : Math.ceil(ms);
}

/** The properties by which errors of LangChain, of the providers' SDKs and of Node tell apart. */
interface Link {
  readonly langChainCode: unknown;
  readonly name: string;
  readonly message: string;
  readonly code: string;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly headers: Headers;
}

function linkOf(error: object): Link {
  const headers = read(error, "headers");
  return {
    langChainCode: read(error, "lc_error_code"),
    name: textIn(error, "name"),
    message: textIn(error, "message"),
    code: textIn(error, "code"),
    status: numberIn(error, "status") ?? numberIn(error, "statusCode"),
    retryAfterMs: numberIn(error, "retryAfterMs"),
    headers: headers instanceof Headers ? headers : noHeaders,
  };
}

/** The thrown object and what it names as its cause, outermost first. */
function causesOf(thrown: unknown): object[] {
  const causes: object[] = [];
  let next: unknown = thrown;
  while (typeof next === "object" && next !== null && causes.length < causesAtMost) {
    causes.push(next);
    next = read(next, "cause");
  }
  return causes;
}

function read(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return undefined;
  }
}

function textIn(object: object, key: string): string {
  const value = read(object, key);
  return typeof value === "string" ? value : "";
}

function numberIn(object: object, key: string): number | undefined {
  const value = read(object, key);
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
