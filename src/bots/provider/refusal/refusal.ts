/**
 * What a provider said when it refused, read from whatever its package throws: the SDKs of OpenAI,
 * Anthropic and Groq keep the body's error, Ollama and Mistral the body, Google's and AWS' their own.
 */
import type { ErrorCode } from "../../../protocol/errors.ts";
import { numberIn, parsed, read, textIn } from "../unknown-json.ts";
import { type RefusalRow, refusalTable } from "./refusal-table.ts";

export interface Refusal {
  /** The HTTP status, or the one that an error inside an answer names. */
  readonly status: number | undefined;
  /** `code`, `type`, `status` and the error's name, as far as they are words. */
  readonly labels: readonly string[];
  readonly words: string;
}

/** How deep SDKs nest the body's error. */
const depthAtMost = 4;
/** Words beyond this say nothing that a row looks for. */
const wordsAtMost = 4000;

export function refusalOf(error: unknown): Refusal {
  const labels: string[] = [];
  const words: string[] = [];
  let status = httpStatus(numberIn(error, "status", "statusCode", "status_code"));
  status ??= httpStatus(numberIn(read(error, "$metadata"), "httpStatusCode"));
  status ??= httpStatus(numberIn(read(error, "response"), "status"));
  let part: unknown = error;
  for (let depth = 0; depth < depthAtMost && part !== undefined && part !== null; depth++) {
    if (typeof part === "string") {
      words.push(part);
      part = bodyError(parsed(part));
      continue;
    }
    status ??= httpStatus(numberIn(part, "code", "status", "status_code"));
    for (const key of ["code", "type", "status", "name"]) {
      const label = read(part, key);
      if (typeof label === "string") labels.push(label);
      else if (typeof label === "number") labels.push(String(label));
    }
    const said = textIn(part, "message", "detail", "msg");
    if (said !== undefined) words.push(said);
    part = read(part, "error") ?? read(part, "body");
  }
  return { status, labels, words: words.join("\n").slice(0, wordsAtMost) };
}

/** The meaning of a provider's refusal; undefined where it is none that anybody knows. */
export function meaningOf(refusal: Refusal): ErrorCode | undefined {
  const row = refusalTable.find((candidate) => fits(candidate, refusal));
  return row?.means ?? (refusal.status === undefined ? undefined : codeOfStatus(refusal.status));
}

/** Statuses that say it all, whatever the words: a row must name them to say otherwise. */
const decisive: ReadonlySet<number | undefined> = new Set([401, 429]);

function fits({ status, label, words }: RefusalRow, refusal: Refusal): boolean {
  const statusFits = status?.includes(refusal.status ?? "none") ?? !decisive.has(refusal.status);
  if (!statusFits) return false;
  if (label !== undefined && !refusal.labels.some((one) => label.test(one))) return false;
  return words === undefined || words.test(refusal.words);
}

/** What a status means where the words say no more. */
export function codeOfStatus(status: number): ErrorCode | undefined {
  switch (status) {
    case 401:
    case 403:
      return "MODEL_AUTHENTICATION";
    case 404:
      return "MODEL_NOT_FOUND";
    case 408:
    case 504:
    case 522:
    case 524:
      return "PROVIDER_TIMEOUT";
    case 413:
      return "CONTEXT_OVERFLOW";
    case 429:
      return "MODEL_RATE_LIMIT";
    // A conflict, a model that failed, too early, no room, a caller who left: it may do later.
    case 409:
    case 424:
    case 425:
    case 498:
    case 499:
      return "PROVIDER_ERROR";
  }
  if (status >= 500) return "PROVIDER_ERROR";
  return status >= 400 ? "PROVIDER_REJECTED" : undefined;
}

function httpStatus(status: number | undefined): number | undefined {
  return status !== undefined && status >= 400 && status < 600 ? status : undefined;
}

function bodyError(body: unknown): unknown {
  const first = Array.isArray(body) ? body[0] : body;
  return read(first, "error") ?? first;
}
