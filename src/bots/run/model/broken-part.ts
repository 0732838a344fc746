/**
 * Whether part of the run's answer is what a model said that broke off. LangChain takes such a model for
 * a success; it fails the run where the answer is made of what that model said, and only there: not
 * where a tool, a side branch or a later step of the bot made do without.
 */
import { LangwireError } from "../../../protocol/errors.ts";
import type { Span } from "../span-tree.ts";
import { saysBroken } from "./finish-reasons.ts";
import type { ModelResult } from "./model-result.ts";

/**
 * @param answer the run's, as readers get it
 * @param models the run's model spans, in the order in which they began
 * @returns the failure of a broken model of which the answer is made
 */
export function brokenPart(answer: string, models: readonly Span[]): LangwireError | undefined {
  const broken = models.filter((model) => model.broken !== undefined);
  if (broken.length === 0) return undefined;
  let rest = answer;
  let attributed = false;
  for (const model of longestFirst(models)) {
    const said = model.said.trim();
    if (said === "" || !rest.includes(said)) continue;
    if (model.broken !== undefined) return model.broken;
    rest = rest.replace(said, "");
    attributed = true;
  }
  if (attributed) return undefined;
  // No model's text is in the answer: it fails unless a whole answer came after the broken one.
  const madeUpFor = ({ endedAtEnd }: Span): boolean =>
    models.some((model) => isWhole(model) && model.speaks && model.endedAtBegin >= endedAtEnd);
  return broken.find((model) => model.speaks && !madeUpFor(model))?.broken;
}

const isWhole = ({ broken, said }: Span): boolean => broken === undefined && said.trim() !== "";

/** One model's text may be the beginning of another's; of two equal texts, a whole answer goes first. */
function longestFirst(models: readonly Span[]): Span[] {
  return models.toSorted(
    (a, b) => b.said.length - a.said.length || Number(isWhole(b)) - Number(isWhole(a)),
  );
}

/** @returns why a model's answer is none or half of one, which LangChain takes for a success; undefined where it is whole */
export function brokenBy(span: Span, result: ModelResult): LangwireError | undefined {
  if (span.candidates > 1 && span.streamedBy === "events") {
    const cause = new Error("Several candidates (`n`) cannot be told apart in stream events.");
    return new LangwireError("BOT_FAILED", { cause });
  }
  const { finishReason, text, toolCalls } = result;
  if (finishReason !== undefined) {
    if (!saysBroken(finishReason)) return undefined;
  } else {
    const isNothing = text === "" && toolCalls.length === 0;
    const saidNothing = isNothing && !span.sentText && !span.sentReasoning;
    if (!span.sendsFinishReason && !saidNothing) return undefined;
  }
  const reason = finishReason ?? "no finish reason";
  const cause = new Error(`The provider's answer is empty or broke off: ${reason}.`);
  return new LangwireError("PROVIDER_ERROR", { cause });
}
