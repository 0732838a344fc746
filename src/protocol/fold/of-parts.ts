/** What can be read of a message's parts: live, and from the history, the same. */
import type { Json } from "../events.ts";
import type { Part } from "../parts.ts";
import type { SpanText } from "./span.ts";

/** What a bot reports of its state, by channel. */
export type BotState = Readonly<Record<string, Json>>;

export function stateIn(parts: readonly Part[]): BotState {
  const channels = parts.flatMap((part) =>
    part.type === "data" && part.origin === "state" ? [[part.name, part.value] as const] : [],
  );
  return Object.fromEntries(channels);
}

/** What models said on the way to the answer, in the order in which they first spoke. */
export function stepsIn(parts: readonly Part[]): SpanText[] {
  return textsIn(parts, (part) => part.type === "text" && !part.final);
}

/** What models showed of their reasoning, in the order in which they began to. */
export function reasoningIn(parts: readonly Part[]): SpanText[] {
  return textsIn(parts, (part) => part.type === "reasoning");
}

/** One text a span, whatever it did in between. */
function textsIn(parts: readonly Part[], isWanted: (part: Part) => boolean): SpanText[] {
  const texts = new Map<string, string>();
  for (const part of parts) {
    if (!("text" in part) || part.spanId === undefined || !isWanted(part)) continue;
    texts.set(part.spanId, (texts.get(part.spanId) ?? "") + part.text);
  }
  return [...texts].map(([spanId, text]) => ({ spanId, text }));
}
