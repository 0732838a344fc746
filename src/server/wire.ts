/**
 * Events on the wire. An event has been JSON text since it was appended to the log; here that text
 * is set between the braces of tRPC's envelope, once for each reader and without parsing it. A stock
 * client with stock superjson cannot tell the difference.
 */
import type { CombinedDataTransformer } from "@trpc/server";
import type { TRPCResultMessage } from "@trpc/server/rpc";
import superjson from "superjson";
import type { Outlet, Present } from "../api/context.ts";
import type { LogEntry } from "../log/entry.ts";
import type { ChatEvent } from "../protocol/events.ts";
import { reviveInput } from "./revive-input.ts";

/** An event's JSON text on its way to the socket. */
class EventText {
  readonly json: string;
  readonly onFrame: OnFrame | undefined;

  constructor(json: string, onFrame?: OnFrame) {
    this.json = json;
    this.onFrame = onFrame;
  }

  /** For transports that build their frames with JSON.stringify: server-sent events. */
  toJSON(): unknown {
    return JSON.parse(this.json);
  }
}

/** Told of the frame's text up to the event's number: what all frames of one call begin with. */
type OnFrame = (head: string) => void;

/** A tracked event: its number and its text. */
class TrackedText {
  readonly id: string;
  readonly json: string;
  readonly onFrame: OnFrame | undefined;

  constructor(id: string, { json, onFrame }: EventText) {
    this.id = id;
    this.json = json;
    this.onFrame = onFrame;
  }
}

/** Sends a call's events as tRPC would, once tRPC has sent the first. */
export class TextOutlet implements Outlet {
  readonly #send: (frame: string) => void;

  constructor(send: (frame: string) => void) {
    this.#send = send;
  }

  first(entry: LogEntry, opened: (send: (entry: LogEntry) => void) => void): ChatEvent {
    const text = new EventText(entry.json, (head) => {
      opened(({ seq, json }) => this.#send(frameOf(head, String(seq), json)));
    });
    return text as unknown as ChatEvent;
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
  return isTracked(value) ? new TrackedText(value.id, value.data) : { json: value };
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
  const version = jsonrpc === undefined ? "" : `"jsonrpc":"${jsonrpc}",`;
  const head = `{"id":${JSON.stringify(id)},${version}"result":{"type":"data","id":"`;
  data.onFrame?.(head);
  return frameOf(head, data.id, data.json);
}

function frameOf(head: string, seq: string, json: string): string {
  return `${head}${seq}","data":{"json":{"id":"${seq}","data":${json}}}}}`;
}
