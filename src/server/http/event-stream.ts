/**
 * A subscription over HTTP, as server-sent events in tRPC's own form: a stock `httpSubscriptionLink`
 * works here as with tRPC's adapter. That adapter pulls events through a generator, and never notices
 * that a reader takes nothing; here the log delivers them as on a WebSocket, paced by what the reader
 * takes, with pings in between.
 */
import type { OutgoingHttpHeader, ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { TrackedEvents } from "../../api/subscription.ts";
import type { LogEntry } from "../../log/entry.ts";
import type { LongTexts } from "../pacing/long-texts.ts";
import { between, longTextLength, type Outlet, writeInPieces } from "../pacing/pieces.ts";
import { SocketPacer } from "../pacing/socket-pacer.ts";
import { type Holder, StallClock } from "../pacing/stall-clock.ts";
import {
  aroundLongEvent,
  beginText,
  errorText,
  eventStreamHeaders,
  eventText,
  pingsPerStream,
  pingText,
  returnText,
} from "./event-stream-text.ts";
import type { SubscriptionStream } from "./subscription-delivery.ts";

export interface EventStreamOptions {
  readonly pingMs: number;
  readonly maxBacklogBytes: number;
  readonly slowReaderMs: number;
  readonly longTexts: LongTexts;
}

export class EventStream implements SubscriptionStream, Holder {
  readonly #reply: FastifyReply;
  readonly #response: ServerResponse;
  readonly #options: EventStreamOptions;
  readonly #pacer: SocketPacer;
  readonly #stall: StallClock;
  readonly #timer: NodeJS.Timeout;
  /** Set while a long event is being sent; settles when it has left. */
  #sendingLong: Promise<void> | undefined;
  #pings = 0;

  constructor(reply: FastifyReply, options: EventStreamOptions) {
    const { raw: response } = reply;
    const { socket } = response.req;
    this.#reply = reply;
    this.#response = response;
    this.#options = options;
    this.#pacer = new SocketPacer(socket, {
      maxBacklogBytes: options.maxBacklogBytes,
      maxStallMs: options.slowReaderMs,
      onStuck: () => this.cut(),
    });
    this.#stall = new StallClock(socket);
    this.#timer = setInterval(() => this.#ping(), options.pingMs);
    response.once("close", () => clearInterval(this.#timer));
  }

  /** Sends the headers, unless they are sent. */
  #begin(): void {
    if (this.#response.headersSent) return;
    const more: Record<string, OutgoingHttpHeader | undefined> = this.#reply.getHeaders();
    this.#response.writeHead(200, { ...more, ...eventStreamHeaders });
  }

  /** Ends the stream and its connection: its reader may reconnect, to any process. */
  leave(): void {
    // An EventSource does not reconnect after an answer that is no event stream.
    this.#begin();
    this.#end();
    const { socket } = this.#response.req;
    if (this.#response.writableFinished) socket.end();
    else this.#response.once("finish", () => socket.end());
  }

  async deliver(events: TrackedEvents): Promise<void> {
    this.#begin();
    this.#write(beginText(events.position, this.#options.pingMs));
    await events.deliver((entry) => this.#send(entry));
    await this.#sendingLong;
    this.#write(returnText, "end");
  }

  fail(json: string): void {
    this.#begin();
    // After a long event that is being sent: in between, it would be read as a part of that.
    void Promise.resolve(this.#sendingLong).then(() => this.#write(errorText(json), "end"));
  }

  ready(): Promise<void> | undefined {
    return this.#sendingLong ?? this.#pacer.ready();
  }

  stalledMs(): number {
    return this.#stall.stalledMs();
  }

  cut(): void {
    this.#response.req.socket.destroy();
  }

  #end(): void {
    this.#write("", "end");
  }

  #write(text: string, end?: "end"): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    if (end === "end") this.#response.end(text);
    else this.#response.write(text);
  }

  #send(entry: LogEntry): void {
    if (entry.bytes <= longTextLength) {
      this.#write(eventText(entry));
      return;
    }
    const { pieces, release } = this.#options.longTexts.hold(entry, this);
    const [start, end] = aroundLongEvent(entry, this.#options.pingMs);
    this.#sendingLong = writeInPieces(between(start, pieces, end), this.#outlet()).finally(() => {
      release();
      this.#sendingLong = undefined;
    });
  }

  #outlet(): Outlet {
    const [response, pacer] = [this.#response, this.#pacer];
    return {
      get gone() {
        return response.destroyed || response.writableEnded;
      },
      ready: () => pacer.ready(),
      write: (piece) => void response.write(piece),
    };
  }

  #ping(): void {
    this.#pings += 1;
    // Not while an event is being sent: that is a sign of life too, and a ping would break it.
    if (this.ready() !== undefined || !this.#response.headersSent) return;
    if (this.#pings >= pingsPerStream) this.#end();
    else this.#write(pingText);
  }
}
