/** All refusals of the table. */
import { accounts } from "./accounts.ts";
import { contextOverflows } from "./context-overflows.ts";
import { failures, keys, models, timeouts } from "./others.ts";
import { rateLimits } from "./rate-limits.ts";
import { rejections } from "./rejections.ts";
import type { SentRefusal } from "./sent-refusal.ts";

export type { SentRefusal } from "./sent-refusal.ts";
export { thrownRefusals } from "./thrown.ts";

export const sentRefusals: readonly SentRefusal[] = [
  ...contextOverflows,
  ...rateLimits,
  ...rejections,
  ...accounts,
  ...keys,
  ...models,
  ...failures,
  ...timeouts,
];
