/** Why an answer ended: which reasons mean that it is whole, and which that it broke. */
import { read } from "../unknown-json.ts";

/**
 * Reasons that say that the provider failed: Zhipu's `network_error`, DeepSeek's
 * `insufficient_system_resource`, vLLM's and SGLang's `abort`, Gemini's calls that it could not read
 * (`function_call_filter: MALFORMED_FUNCTION_CALL`). Any other reason ends an answer well.
 */
const broken =
  /^(error|.*_error|failed|failure|abort(ed)?|cancel(l)?ed|timeout|insufficient_system_resource|(function_call_filter: *)?(malformed_function_call|unexpected_tool_call))$/i;

export const isBroken = (finishReason: string): boolean => broken.test(finishReason);

/** Reasons that say that the answer was cut for its length. */
export const isCut = (finishReason: string): boolean =>
  /^(length|max_?tokens|max_output_tokens|model_length)$/i.test(finishReason);

/** The reason that a choice gives, whichever way it is written; undefined where it gives none yet. */
export function finishReasonOf(choice: unknown): string | undefined {
  for (const where of [choice, read(choice, "delta"), read(choice, "message")]) {
    for (const key of ["finish_reason", "finishReason"]) {
      const reason = read(where, key);
      if (typeof reason === "string" && reason !== "" && reason !== "null") return reason;
    }
  }
  return undefined;
}
