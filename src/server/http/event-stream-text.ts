/** What a stream of server-sent events is written in: tRPC's own form, which a stock `httpSubscriptionLink` reads. */
import type { LogEntry } from "../../log/entry.ts";

export const eventStreamHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  // Keeps proxies from buffering the answer: they would hold back all of it.
  "x-accel-buffering": "no",
};

/**
 * Pings after which a stream ends, for its reader to reconnect. Nothing answers a ping here, so this is
 * how the server notices readers that are gone without closing: they do not reconnect.
 */
export const pingsPerStream = 5;
/** Pings that a stock client misses before it takes a stream for dead. */
const missedPings = 3;
/** The slowest link on which it waits for a long event: it sees nothing of that before all is there. */
const slowestBytesPerMs = 4;
/** How long an EventSource waits before it reconnects. */
const retryMs = 250;

export const pingText = "event: ping\ndata: \n\n";
export const returnText = "event: return\ndata: \n\n";

/** With an id, so that a reader who reconnects before the first event resumes from here too. */
export function beginText(position: number, pingMs: number): string {
  return `retry: ${retryMs}\nid: ${position}\n${connectedText(0, pingMs)}`;
}

/** From each of these, wherever it comes, a stock client takes how long a silence it bears. */
export function connectedText(longestBytes: number, pingMs: number): string {
  const silenceMs = missedPings * pingMs + longestBytes / slowestBytesPerMs;
  const options = { reconnectAfterInactivityMs: Math.ceil(silenceMs) };
  return `event: connected\ndata: ${JSON.stringify(options)}\n\n`;
}

export function eventText({ json, seq }: Pick<LogEntry, "json" | "seq">): string {
  return `data: {"json":${json}}\nid: ${seq}\n\n`;
}

/** What stands before and after a long event's own JSON: while it is on its way, silence is longer. */
export function aroundLongEvent(
  { bytes, seq }: Pick<LogEntry, "bytes" | "seq">,
  pingMs: number,
): readonly [string, string] {
  return [
    `${connectedText(bytes, pingMs)}data: {"json":`,
    `}\nid: ${seq}\n\n${connectedText(0, pingMs)}`,
  ];
}

/** @param json tRPC's shape of the error, transformed */
export function errorText(json: string): string {
  return `event: serialized-error\ndata: ${json}\n\n`;
}
