/** Why an answer ended, as servers of OpenAI's protocol write it. */
import { read } from "../unknown-json.ts";

/** Reasons that say that the answer was cut for its length. */
export const isCut = (finishReason: string): boolean =>
  /^(length|max_?tokens|max_output_tokens|model_length)$/i.test(finishReason);

/** The reason that a choice gives, whichever way it is written; undefined where it gives none yet. */
export function choiceFinishReason(choice: unknown): string | undefined {
  for (const where of [choice, read(choice, "delta"), read(choice, "message")]) {
    for (const key of ["finish_reason", "finishReason"]) {
      const reason = read(where, key);
      if (typeof reason === "string" && reason !== "" && reason !== "null") return reason;
    }
  }
  return undefined;
}
