/** How long the events of runs that have ended are kept, as an operator writes it. */
import { z } from "zod";

const minuteMs = 60_000;
const units = { m: minuteMs, h: 60 * minuteMs, d: 24 * 60 * minuteMs } as const;

/** In milliseconds: `Infinity` for good, 0 not at all. */
export const keepEventsMs = z.string().transform((written, context) => {
  if (written === "forever") return Number.POSITIVE_INFINITY;
  if (written === "off") return 0;
  const [, count, unit] = /^([1-9]\d{0,4})([mhd])$/.exec(written) ?? [];
  if (unit === "m" || unit === "h" || unit === "d") return Number(count) * units[unit];
  const message = "must be forever, off, or a time in minutes, hours or days, such as 30d";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});
