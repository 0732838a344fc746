/** How the answer at a run's end goes with what its spans said on the way. */
import type { Said } from "./answer-fold.ts";

/**
 * The spans that said the answer: one of them, the newest if several did, or all together, as servers
 * had it that joined what everybody said. None where the bot made the answer of something else.
 */
export function answerSpans(said: Said, answer: string): readonly string[] {
  const wanted = answer.trim();
  const spans = [...said];
  const one = spans.findLast(([, { text }]) => text.trim() === wanted);
  if (one !== undefined) return [one[0]];
  const together = spans.map(([, { text }]) => text).join("");
  return together.trim() === wanted ? spans.map(([spanId]) => spanId) : [];
}

/** Whether who read along has the answer already, and need not be told it at the end. */
export function wasSaid(said: Said, answer: string): boolean {
  return answer.trim() === "" || answerSpans(said, answer).length > 0;
}
