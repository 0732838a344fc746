/**
 * tRPC's frames, as text. An event has been JSON text since it was appended to the log; here that text
 * is put into tRPC's envelope, once for each reader and without parsing it. A stock client with stock
 * superjson sees no difference.
 */
import type { CombinedDataTransformer } from "@trpc/server";
import superjson from "superjson";
import type { LogEntry } from "../../../log/entry.ts";
import { reviveInput } from "../call-input.ts";

/** `{ json }` without `meta` is valid superjson, and all that the router answers is plain JSON. */
export const wireTransformer: CombinedDataTransformer = {
  input: { serialize: superjson.serialize, deserialize: reviveInput },
  output: { serialize: (json: unknown) => ({ json }), deserialize: superjson.deserialize },
};

/** The beginning of all frames of one call. */
export function frameHead(id: number | string | null, jsonrpc?: "2.0"): string {
  const version = jsonrpc === undefined ? "" : `"jsonrpc":"${jsonrpc}",`;
  return `{"id":${JSON.stringify(id)},${version}`;
}

/**
 * A subscription has been accepted, and begins after the position. Whoever loses the socket before the
 * first event comes back with that, and misses nothing.
 */
export function startedFrame(head: string, position: number): string {
  return `${head}"result":{"type":"started","id":"${position}"}}`;
}

/** A subscription is over. */
export function stoppedFrame(head: string): string {
  return `${head}"result":{"type":"stopped"}}`;
}

/** The answer to a query or mutation: plain JSON. */
export function answerFrame(head: string, json: unknown): string {
  return `${head}"result":{"type":"data","data":${JSON.stringify({ json })}}}`;
}

/** A tracked event. */
export function eventFrame(head: string, { seq, json }: LogEntry): string {
  return `${head}"result":{"type":"data","id":"${seq}","data":{"json":{"id":"${seq}","data":${json}}}}}`;
}

/** What stands before and after the event's own JSON. */
export function aroundEvent(head: string, seq: number): readonly [string, string] {
  return [
    `${head}"result":{"type":"data","id":"${seq}","data":{"json":{"id":"${seq}","data":`,
    "}}}}",
  ];
}
