/** The trace that a request belongs to, for the runs that it begins to be linked to. */
import type { IncomingHttpHeaders } from "node:http";
import { type Context, context, propagation, trace } from "@opentelemetry/api";

/**
 * What is active where the request was instrumented, or else what its headers say (`traceparent`).
 * Undefined where there is no trace; so always, without an SDK.
 */
export function requestTrace(headers: IncomingHttpHeaders): Context | undefined {
  const active = context.active();
  if (hasSpan(active)) return active;
  const extracted = propagation.extract(active, headers);
  return hasSpan(extracted) ? extracted : undefined;
}

/** What the work begins belongs to the request's trace. */
export function inTrace<T>(traced: Context | undefined, work: () => T): T {
  return traced === undefined ? work() : context.with(traced, work);
}

function hasSpan(of: Context): boolean {
  return trace.getSpanContext(of) !== undefined;
}
