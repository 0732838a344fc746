/** Numbers and times as they are written in the page's language. */
import { locale } from "./locale.ts";

const numbers = new Intl.NumberFormat(locale.tag);
const tenths = new Intl.NumberFormat(locale.tag, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
// Whether a day has twice 12 hours is the habit of the reader, not of the language.
const { hourCycle } = new Intl.DateTimeFormat([], { hour: "numeric" }).resolvedOptions();
const clock = new Intl.DateTimeFormat(locale.tag, {
  hour: "2-digit",
  minute: "2-digit",
  ...(hourCycle && { hourCycle }),
});

export const numberText = (value: number): string => numbers.format(value);

export const tenthsText = (value: number): string => tenths.format(value);

/** @param at a time in ISO 8601 */
export const clockText = (at: string): string => clock.format(new Date(at));
