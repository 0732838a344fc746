/**
 * Why a model's answer ended, in the words of its provider, and whether it ended at all. What
 * LangChain takes for a whole answer may be half of one: a proxy that closed the stream cleanly, a
 * provider that failed in the middle and says so in the finish reason alone.
 */
import type { BaseMessage } from "@langchain/core/messages";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Providers, as LangChain's packages name them in `ls_provider`, whose protocol has a finish reason
 * in every whole answer and whose package hands it on. Of others nobody can be sure.
 */
const sendFinishReasons: ReadonlySet<unknown> = new Set([
  "openai",
  "azure",
  "anthropic",
  "google_genai",
  "mistral",
  "groq",
  "ollama",
  "deepseek",
  "xai",
]);

/** Finish reasons that say that there is no answer, or half of one. */
const brokenReasons: ReadonlySet<string> = new Set([
  // OpenAI's protocol, as gateways and compatible servers use it.
  "error",
  "network_error",
  "timeout",
  "abort",
  "aborted",
  "cancelled",
  "insufficient_system_resource",
  "server_error",
  // Gemini's, through the same protocol.
  "function_call_filter: malformed_function_call",
  "function_call_filter: unexpected_tool_call",
  // The status of OpenAI's responses.
  "failed",
  "in_progress",
  "queued",
  // Gemini. In small letters, "other" is what gateways make of any reason that they do not know.
  "MALFORMED_FUNCTION_CALL",
  "MALFORMED_RESPONSE",
  "UNEXPECTED_TOOL_CALL",
  "TOO_MANY_TOOL_CALLS",
  "FINISH_REASON_UNSPECIFIED",
  "OTHER",
]);

export const sendsFinishReason = (provider: unknown): boolean => sendFinishReasons.has(provider);

export const saysBroken = (finishReason: string): boolean =>
  brokenReasons.has(finishReason) || brokenReasons.has(finishReason.toLowerCase());

/** @param info the generation's, which is where OpenAI's, Gemini's and Mistral's packages put it */
export function messageFinishReason(
  message: BaseMessage | undefined,
  info: Fields | undefined,
): string | undefined {
  const metadata: Fields = message?.response_metadata ?? {};
  const extra: Fields = message?.additional_kwargs ?? {};
  return (
    reasonIn(info) ??
    reasonIn(metadata) ??
    // Anthropic's, and Gemini's when it does not stream.
    reasonIn(extra) ??
    responseStatus(metadata)
  );
}

function reasonIn(fields: Fields | undefined): string | undefined {
  return (
    text(fields?.finish_reason) ??
    text(fields?.finishReason) ??
    text(fields?.stop_reason) ??
    text(fields?.stopReason) ??
    text(fields?.done_reason)
  );
}

/** OpenAI's responses have a status; where that is `incomplete`, the reason stands beside it. */
function responseStatus({ status, incomplete_details: details }: Fields): string | undefined {
  const reason =
    typeof details === "object" && details !== null ? text((details as Fields).reason) : undefined;
  return reason ?? text(status);
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;
