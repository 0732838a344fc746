/** All answers of the table. */
import { brokenEndings } from "./broken-endings.ts";
import { errors } from "./errors.ts";
import { heartbeats } from "./heartbeats.ts";
import { noAnswers } from "./no-answers.ts";
import type { OddAnswer } from "./odd-answer.ts";
import { reasoning } from "./reasoning.ts";
import { regular } from "./regular.ts";
import { otherShapes } from "./shapes.ts";
import { toolCallContents } from "./tool-call-contents.ts";
import { toolCallPlaces } from "./tool-call-places.ts";
import { counting } from "./usage.ts";
import { wholeEndings } from "./whole-endings.ts";

export type { Answered, OddAnswer } from "./odd-answer.ts";

export const oddAnswers: readonly OddAnswer[] = [
  ...regular,
  ...wholeEndings,
  ...brokenEndings,
  ...toolCallPlaces,
  ...toolCallContents,
  ...counting,
  ...heartbeats,
  ...otherShapes,
  ...noAnswers,
  ...reasoning,
  ...errors,
];
