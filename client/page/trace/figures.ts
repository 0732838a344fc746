/** Numbers of a run, in words. */
import type { Usage } from "langwire-client";
import type { AiMessage, Span } from "langwire-client/react";
import { words } from "../language/words.ts";

export function allSpans(spans: readonly Span[]): Span[] {
  return spans.flatMap((span) => [span, ...allSpans(span.children)]);
}

/** When the run began and the last moment that is known of it, in milliseconds since 1970. */
export interface RunTime {
  readonly startMs: number;
  readonly endMs: number;
}

export function runTime({ at }: AiMessage, spans: readonly Span[]): RunTime {
  const times = spans.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt ?? startedAt]);
  const known = times.map((time) => Date.parse(time));
  // The message's own time is when it was accepted, and when it ended once it has.
  const startMs = Math.min(...known, Date.parse(at));
  return { startMs, endMs: Math.max(...known, startMs) };
}

export function durationText(ms: number): string {
  if (ms < 1_000) return words.milliseconds(Math.round(ms));
  if (ms < 60_000) return words.seconds(ms / 1_000);
  return words.minutes({
    minutes: Math.floor(ms / 60_000),
    seconds: Math.floor((ms % 60_000) / 1_000),
  });
}

export function usageText({ inputTokens, outputTokens }: Usage): string {
  return words.tokens({ input: inputTokens, output: outputTokens });
}
