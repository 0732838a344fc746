/** Tokens counted by providers, in the several shapes in which LangChain hands them over. */
import type { Usage } from "../../protocol/events.ts";
import { numberIn } from "./unknown-json.ts";

/** The standard shape: a message's `usage_metadata`. */
export function usageOfMetadata(value: unknown): Usage | undefined {
  const input = count(value, "input_tokens");
  const output = count(value, "output_tokens");
  if (input === undefined && output === undefined) return undefined;
  return usage(
    input,
    output,
    count(value, "total_tokens"),
    count(field(value, "input_token_details"), "cache_read"),
    count(field(value, "output_token_details"), "reasoning"),
  );
}

/** What a model returned to its callbacks: `llmOutput`, and a message's own metadata. */
export function usageOfResult(message: unknown, llmOutput: unknown): Usage | undefined {
  const standard = usageOfMetadata(field(message, "usage_metadata"));
  if (standard !== undefined) return standard;
  const openai = field(field(message, "response_metadata"), "usage");
  // ChatGroq, when it streams, has the standard counts there and nowhere else.
  const misplaced = usageOfMetadata(openai);
  if (misplaced !== undefined) return misplaced;
  const counted = field(llmOutput, "tokenUsage") ?? field(llmOutput, "estimatedTokenUsage");
  const input = count(openai, "prompt_tokens") ?? count(counted, "promptTokens");
  const output = count(openai, "completion_tokens") ?? count(counted, "completionTokens");
  if (input === undefined && output === undefined) return undefined;
  return usage(input, output, count(openai, "total_tokens") ?? count(counted, "totalTokens"));
}

function usage(
  input = 0,
  output = 0,
  total = input + output,
  cachedInputTokens?: number,
  reasoningTokens?: number,
): Usage {
  return {
    inputTokens: input,
    outputTokens: output,
    totalTokens: total,
    ...optional("cachedInputTokens", cachedInputTokens),
    ...optional("reasoningTokens", reasoningTokens),
  };
}

function optional<Key extends string>(
  key: Key,
  value: number | undefined,
): Partial<Record<Key, number>> {
  const entry: Partial<Record<Key, number>> = {};
  if (value !== undefined) entry[key] = value;
  return entry;
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

/** What counts more tokens than that counts something else; sums of counts stay exact. */
const countAtMost = 1e12;

/** A whole number, whatever a server makes of one: a fraction, a text of digits. */
function count(value: unknown, key: string): number | undefined {
  const found = numberIn(value, key);
  return found === undefined || found > countAtMost ? undefined : Math.round(found);
}
