/** The count of tokens, wherever in a chunk it stands and however its fields are called. */
import { isObject, type JsonObject, numberIn, read } from "../unknown-json.ts";

export type NormalizedUsage = JsonObject & {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
};

/** @param chunk an event of a stream, or a whole answer */
export function usageOf(chunk: JsonObject): NormalizedUsage | undefined {
  const choices = chunk.choices;
  const found = [
    chunk.usage,
    read(chunk.x_groq, "usage"),
    // Moonshot's.
    Array.isArray(choices) ? read(choices[0], "usage") : undefined,
  ].find(isObject);
  if (found === undefined) return undefined;
  const prompt = numberIn(found, "prompt_tokens", "input_tokens");
  const completion = numberIn(found, "completion_tokens", "output_tokens");
  const total = numberIn(found, "total_tokens");
  if (prompt === undefined && completion === undefined && total === undefined) return undefined;
  const cached = numberIn(found, "prompt_cache_hit_tokens");
  return {
    ...(cached !== undefined && { prompt_tokens_details: { cached_tokens: cached } }),
    ...found,
    prompt_tokens: prompt ?? Math.max(0, (total ?? 0) - (completion ?? 0)),
    completion_tokens: completion ?? Math.max(0, (total ?? 0) - (prompt ?? 0)),
    total_tokens: total || (prompt ?? 0) + (completion ?? 0),
  };
}
