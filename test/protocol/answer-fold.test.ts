/**
 * Who says the answer, by who began, spoke and ended when. A line is what happens: `a(` model a begins,
 * `a:x` it says x, `a)` it ends, `a!` it fails, `a~` it is void.
 */
import { describe, expect, test } from "vitest";
import * as generated from "../../client/generated/fold/answer-fold.js";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { AnswerFold } from "../../src/protocol/fold/answer-fold.ts";

const at = "2026-01-01T00:00:00.000Z";

function eventOf(word: string): ChatEvent {
  const [spanId = "", what, text = ""] = /^(\w)(.)(.*)$/.exec(word)?.slice(1) ?? [];
  const on = { runId: "r", spanId };
  switch (what) {
    case "(":
      return { type: "llmStart", ...on, at, name: "model" };
    case ")":
      return { type: "llmEnd", ...on, at };
    case "!":
      return {
        ...{ type: "error", ...on, at, source: "llm", code: "PROVIDER_ERROR" },
        ...{ message: "It broke.", retryable: true },
      };
    case "~":
      return { type: "reset", ...on };
    default:
      return { type: "token", ...on, text: text.replaceAll("_", " ") };
  }
}

describe.each([
  ["the server's fold", AnswerFold],
  ["the fold that clients have", generated.AnswerFold],
] as const)("%s", (_name, Fold) => {
  test.each([
    ["nobody", "", ""],
    ["one", "a( a:1 a:2 a)", "12"],
    ["the newest, after another's end", "a( a:1 a) b( b:2", "2"],
    ["the newest, though the other was never ended", "a( a:1 b( b:2", "2"],
    ["the newest, though the other is ended late", "a( a:1 b( b:2 a) b:3", "23"],
    ["both, where one began before the other spoke", "a( b( a:1 b:2", "1\n\n2"],
    ["both, in turns", "a( b( a:1 b:2 a:3 b:4", "13\n\n24"],
    ["both, where the first speaks on", "a( a:1 b( b:2 a:3", "13\n\n2"],
    ["the last, where the other had ended before it spoke", "a( b( a:1 a) b:2", "2"],
    ["the last, where the other had failed before it spoke", "a( b( a:1 a! b:2", "2"],
    ["the last, where what the other said is void", "a( b( a:1 a~ b:2", "2"],
    ["who spoke before, where the newest is void", "a( a:1 a) b( b:2 b~", "1"],
    ["what is said anew", "a( a:1 a~ a:2", "2"],
    ["the other alone, where one of two is void", "a( b( a:1 b:2 a~", "2"],
    ["three together, and then one", "a( b( c( a:1 b:2 c:3 a) b) c) d( d:4", "4"],
    ["who spoke, where the newest is blank", "a( a:1 a) b( b:_", "1"],
    ["a blank, where nobody said more", "a( a:_", " "],
    ["what was said after the blank", "a( a:_ b( b:2", "2"],
    ["who began before everything, and speaks last", "z( a( a:1 a) b( b:2 b) z:3", "3"],
  ])("%s", (_who, words, text) => {
    const [fold, read] = [new Fold(), new Fold()];
    for (const word of words.split(" ").filter((one) => one !== "")) {
      fold.add(eventOf(word));
      read.add(eventOf(word));
      void read.text;
    }
    expect([fold.text, read.text]).toEqual([text, text]);
  });
});
