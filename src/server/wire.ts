/**
 * Events on the wire. An event has been JSON text since it was appended to the log; here that text
 * is set between the braces of tRPC's envelope, once for each reader and without parsing it. A stock
 * client with stock superjson cannot tell the difference.
 */
import type { CombinedDataTransformer } from "@trpc/server";
import type { TRPCResultMessage } from "@trpc/server/rpc";
import superjson from "superjson";
import type { Present } from "../api/context.ts";
import type { ChatEvent } from "../protocol/events.ts";
import { reviveInput } from "./revive-input.ts";

/** An event's JSON text on its way to the socket. */
class EventText {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }

  /** For transports that build their frames with JSON.stringify: server-sent events. */
  toJSON(): unknown {
    return JSON.parse(this.json);
  }
}

/** A tracked event: its number and its text. */
class TrackedText {
  readonly id: string;
  readonly json: string;

  constructor(id: string, json: string) {
    this.id = id;
    this.json = json;
  }
}

/** The router believes that it yields events; only the transformer and the encoder see the text. */
export const presentAsText: Present = (entry) => new EventText(entry.json) as unknown as ChatEvent;

export const wireTransformer: CombinedDataTransformer = {
  input: { serialize: superjson.serialize, deserialize: reviveInput },
  output: { serialize: serializeOutput, deserialize: superjson.deserialize },
};

/** `{ json }` without `meta` is valid superjson, and all that the router answers is plain JSON. */
function serializeOutput(value: unknown): unknown {
  return isTracked(value) ? new TrackedText(value.id, value.data.json) : { json: value };
}

function isTracked(value: unknown): value is { id: string; data: EventText } {
  return (
    typeof value === "object" &&
    value !== null &&
    "data" in value &&
    value.data instanceof EventText
  );
}

/** A message of tRPC's as the text of its frame. */
export function encodeFrame(message: unknown): string {
  const { id, jsonrpc, result } = message as Partial<TRPCResultMessage<unknown>>;
  const data = result?.type === "data" ? result.data : undefined;
  if (!(data instanceof TrackedText)) return JSON.stringify(message);
  const head = jsonrpc === undefined ? "" : `"jsonrpc":"${jsonrpc}",`;
  const call = typeof id === "number" ? id : JSON.stringify(id);
  const seq = data.id;
  return `{"id":${call},${head}"result":{"type":"data","id":"${seq}","data":{"json":{"id":"${seq}","data":${data.json}}}}}`;
}
