/**
 * Maps whatever was thrown to an error code: by the error, its chain of causes, and where it was
 * thrown. The error's own text never goes into the message, except for our own ProviderTimeout.
 */
import { ProviderTimeout } from "../../event-fetch/event-fetch.ts";
import { type ErrorCode, LangwireError } from "../../protocol/errors.ts";
import { botErrorCode } from "../failures/bot-errors.ts";
import { BrokenAnswer } from "./answer/broken-answer.ts";
import { meaningOf, refusalOf } from "./refusal/refusal.ts";
import { exactRetryAfterOf, retryAfterOf, waitMsOf } from "./retry-after.ts";
import { numberIn, read, textIn } from "./unknown-json.ts";

/** The kind of span in which something was thrown. */
export type ErrorSource = "llm" | "chain" | "tool" | "retriever";

/** How many causes of causes are read. */
const causesAtMost = 8;

export function classifyError(cause: unknown, source: ErrorSource): LangwireError {
  for (const error of causesOf(cause)) {
    if (error instanceof LangwireError) return error;
    if (error instanceof ProviderTimeout) {
      return new LangwireError("PROVIDER_TIMEOUT", { message: error.message, cause });
    }
    const code =
      botErrorCode({
        langChainCode: read(error, "lc_error_code"),
        name: textIn(error, "name") ?? "",
      }) ?? (source === "llm" ? providerCode(error) : modelCode(error));
    if (code === undefined) continue;
    const retryAfterMs = code === "MODEL_RATE_LIMIT" ? waitOf(error) : undefined;
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

/** The code of an error that LangChain or we have marked as a model's, wherever it was thrown. */
function modelCode(error: object): ErrorCode | undefined {
  if (error instanceof BrokenAnswer) return "PROVIDER_ERROR";
  const langChainCode = textIn(error, "lc_error_code");
  switch (langChainCode) {
    case "MODEL_RATE_LIMIT":
    case "MODEL_AUTHENTICATION":
    case "MODEL_NOT_FOUND":
      return langChainCode;
    case "INVALID_TOOL_RESULTS":
      return "PROVIDER_REJECTED";
  }
  const overflows =
    textIn(error, "name") === "ContextOverflowError" ||
    textIn(error, "code") === "context_length_exceeded";
  return overflows ? "CONTEXT_OVERFLOW" : undefined;
}

const timeoutNames = new Set(["TimeoutError", "APIConnectionTimeoutError"]);
const timeoutCodes = new Set([
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** The code of an error out of a call to a provider: statuses and texts mean nothing elsewhere. */
function providerCode(error: object): ErrorCode | undefined {
  // Its own code says the kind; the words may say more: a 429 in which a prompt is too long.
  const meaning = error instanceof BrokenAnswer ? undefined : meaningOf(refusalOf(error));
  if (meaning !== undefined) return meaning;
  const code = modelCode(error);
  if (code !== undefined) return code;
  const isTimeout =
    timeoutNames.has(textIn(error, "name") ?? "") || timeoutCodes.has(textIn(error, "code") ?? "");
  return isTimeout ? "PROVIDER_TIMEOUT" : undefined;
}

/** LangChain's own figure comes from `retry-after`, in whole seconds, or from the message. */
function waitOf(error: object): number | undefined {
  const found = read(error, "headers");
  const headers = found instanceof Headers ? found : new Headers();
  return waitMsOf(
    exactRetryAfterOf(headers) ?? numberIn(error, "retryAfterMs") ?? retryAfterOf(headers),
  );
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
