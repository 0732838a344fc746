/** Which spans said the answer that a run's end has: it may be none of what they said on the way. */
import { type AnswerFold, betweenSpeakers } from "./answer-fold.ts";

type Voices = Pick<AnswerFold, "said" | "speakers">;

/**
 * The spans that said the answer: one of them, the newest if several did; those that spoke last, at the
 * same time; or all together, as servers had it that joined what everybody said. None where the bot
 * made the answer of something else.
 */
export function answerSpans({ said, speakers }: Voices, answer: string): readonly string[] {
  const wanted = answer.trim();
  const one = [...said].findLast(([, { text }]) => text.trim() === wanted);
  if (one !== undefined) return [one[0]];
  const textOf = (spanId: string): string => said.get(spanId)?.text ?? "";
  if (speakers.map(textOf).join(betweenSpeakers).trim() === wanted) return speakers;
  const all = [...said.keys()];
  return all.map(textOf).join("").trim() === wanted ? all : [];
}

/** Whether a reader who followed the run has the final answer already, by what models said. */
export function wasSaid(voices: Voices, answer: string): boolean {
  return answer.trim() === "" || answerSpans(voices, answer).length > 0;
}
