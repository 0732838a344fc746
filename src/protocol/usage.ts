import type { Usage } from "./events.ts";

/** Adds two counts; what neither knows stays unknown. */
export function addUsage(a: Usage | undefined, b: Usage | undefined): Usage | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const sum: Usage = {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    totalTokens: a.totalTokens + b.totalTokens,
  };
  for (const part of ["cachedInputTokens", "reasoningTokens"] as const) {
    const tokens = (a[part] ?? 0) + (b[part] ?? 0);
    if (a[part] !== undefined || b[part] !== undefined) sum[part] = tokens;
  }
  return sum;
}
