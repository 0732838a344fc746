/** Errors that a provider reports inside of an answer with status 200. */
import { OpenAIClient, wrapOpenAIClientError } from "@langchain/openai";
import { refusalOf } from "../refusal/refusal.ts";
import { normalizedError } from "../refusal/refusal-body.ts";
import { isObject, numberIn, read, textIn } from "../unknown-json.ts";

/** The error that an event or a body holds; undefined where it holds none. */
export function errorIn(value: unknown): unknown {
  const outer: unknown = Array.isArray(value) ? value[0] : value;
  if (!isObject(outer)) return undefined;
  const { error, choices } = outer;
  if (isError(error)) return outer;
  if (outer.object === "error" || outer.type === "error") return outer;
  const first = Array.isArray(choices) ? choices[0] : undefined;
  const inChoice = read(first, "error");
  if (isError(inChoice)) return inChoice;
  // MiniMax says in each answer that nothing is wrong.
  if (numberIn(outer.base_resp, "status_code")) return withCode(outer.base_resp);
  if (choices !== undefined) return undefined;
  const isFailure =
    outer.success === false ||
    outer.status === "error" ||
    outer.detail !== undefined ||
    (numberIn(outer, "code", "status", "status_code") ?? 0) >= 400;
  return isFailure && textIn(outer, "message", "msg", "detail", "error_msg") ? outer : undefined;
}

/** As the SDK throws it where the status says it, so that LangChain and we read both alike. */
export function toApiError(error: unknown, headers: Headers): unknown {
  const normalized = normalizedError(error);
  const { status } = refusalOf(normalized);
  return wrapOpenAIClientError(
    status === undefined
      ? new OpenAIClient.APIError(undefined, normalized, undefined, headers)
      : OpenAIClient.APIError.generate(status, { error: normalized }, undefined, headers),
  );
}

function isError(error: unknown): boolean {
  if (typeof error === "string") return error !== "";
  return isObject(error) && Object.keys(error).length > 0;
}

function withCode(response: unknown): object {
  const code = numberIn(response, "status_code");
  return { code, message: textIn(response, "status_msg") ?? `status code ${code}` };
}
