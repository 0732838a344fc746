/** Whether a run's answer is made of what a model said that broke off: by what all of its models said. */
import { expect, test } from "vitest";
import { brokenPart } from "../../src/bots/run/model/broken-part.ts";
import { Span } from "../../src/bots/run/span-tree.ts";
import { LangwireError } from "../../src/protocol/errors.ts";

const modelSpan = (fields: Partial<Span> = {}): Span => {
  const facts = { parent: undefined, taggedHidden: false, hidden: false, nostream: false };
  const span = new Span({ id: "m", kind: "llm", name: "m", agentName: undefined, ...facts });
  return Object.assign(span, { voice: "answer" }, fields);
};

const cause = new LangwireError("PROVIDER_ERROR");
const broken = (said: string, at: number) =>
  modelSpan({ said, broken: cause, endedAtBegin: at - 1, endedAtEnd: at });
const whole = (said: string, at: number) =>
  modelSpan({ said, endedAtBegin: at, endedAtEnd: at + 1 });

test.each<[string, string, Span[], boolean]>([
  ["it is what the broken one said", "half", [broken("half", 1)], true],
  ["another said it", "whole", [broken("half", 1), whole("whole", 1)], false],
  ["part of it is broken", "half whole", [broken("half", 1), whole("whole", 1)], true],
  [
    "the broken words are within a whole one's",
    "half more",
    [broken("half", 1), whole("half more", 1)],
    false,
  ],
  ["of the same words one is whole", "half", [broken("half", 1), whole("half", 1)], false],
  [
    "both said the same, and both are in it",
    "half half",
    [broken("half", 1), whole("half", 1)],
    true,
  ],
  [
    "nobody said it, and a whole one began right after",
    "else",
    [broken("half", 1), whole("whole", 1)],
    false,
  ],
  [
    "nobody said it, and the whole one had begun before",
    "else",
    [broken("half", 2), whole("whole", 1)],
    true,
  ],
  [
    "nobody said it, and what came after was blank",
    "else",
    [broken("half", 1), whole(" ", 1)],
    true,
  ],
  ["nobody is broken", "else", [whole("whole", 1)], false],
])("%s", (_what, answer, models, isBroken) => {
  for (const all of [models, models.toReversed()]) {
    expect(brokenPart(answer, all)).toBe(isBroken ? cause : undefined);
  }
});
