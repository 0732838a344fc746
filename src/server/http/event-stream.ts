/**
 * A subscription over HTTP, as server-sent events in tRPC's own form: a stock `httpSubscriptionLink`
 * finds here what it finds at tRPC's adapter. That one pulls events through a generator, which a
 * reader who takes nothing never asks again, so that nobody notices; here they come from the log as
 * they do on a WebSocket, as fast as the reader takes them, with pings in between.
 */
import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { TrackedEvents } from "../../api/subscription.ts";
import type { LogEntry } from "../../log/entry.ts";
import type { Pacer } from "../../runs/following/pacer.ts";
import type { LongTexts } from "../pacing/long-texts.ts";
import { longTextLength, type Outlet, writeInPieces } from "../pacing/pieces.ts";
import { SocketPacer } from "../pacing/socket-pacer.ts";
import { type Holder, StallClock } from "../pacing/stall-clock.ts";

export interface EventStreamOptions {
  readonly pingMs: number;
  readonly maxBacklogBytes: number;
  readonly slowReaderMs: number;
  readonly longTexts: LongTexts;
}

/**
 * Pings after which a stream ends, for its reader to come back. Nothing answers a ping here: that
 * they do not come back is how the server hears of readers who are gone without a word.
 */
const pingsPerStream = 5;
/** How long an EventSource waits before it comes back. */
const retryMs = 250;
const headers = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  // A proxy that collects an answer before it hands it on would keep all of this one.
  "x-accel-buffering": "no",
};

export class EventStream implements Pacer, Holder {
  readonly #response: ServerResponse;
  readonly #options: EventStreamOptions;
  readonly #pacer: SocketPacer;
  readonly #stall: StallClock;
  readonly #timer: NodeJS.Timeout;
  /** Settles when the long event that is under way has left. */
  #sendingLong: Promise<void> | undefined;
  #pings = 0;

  constructor({ raw: response }: FastifyReply, options: EventStreamOptions) {
    const { socket } = response.req;
    this.#response = response;
    this.#options = options;
    this.#pacer = new SocketPacer(socket, {
      maxBacklogBytes: options.maxBacklogBytes,
      patienceMs: options.slowReaderMs,
      onStuck: () => this.cut(),
    });
    this.#stall = new StallClock(socket);
    this.#timer = setInterval(() => this.#ping(), options.pingMs);
    response.once("close", () => clearInterval(this.#timer));
  }

  /** @param more the headers that the answer has besides */
  begin(more: Readonly<Record<string, string | string[] | number | undefined>>): void {
    this.#response.writeHead(200, { ...more, ...headers });
  }

  /** It is over, though its reader may come back. */
  end(): void {
    this.#write("", "end");
  }

  /** Every event, and the end. @returns settles when all is sent, or the reader has gone */
  async deliver(events: TrackedEvents): Promise<void> {
    // Whoever comes back before there was an event is to miss none either.
    this.#write(`retry: ${retryMs}\nevent: connected\ndata: {}\nid: ${events.position}\n\n`);
    await events.deliver((entry) => this.#send(entry));
    await this.#sendingLong;
    this.#write("event: return\ndata: \n\n", "end");
  }

  /** @param json tRPC's shape of the error, transformed */
  fail(json: string): void {
    const told = `event: serialized-error\ndata: ${json}\n\n`;
    // Behind what is under way, or a reader would take it for a part of that.
    void Promise.resolve(this.#sendingLong).then(() => this.#write(told, "end"));
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

  #write(text: string, end?: "end"): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    if (end === "end") this.#response.end(text);
    else this.#response.write(text);
  }

  #send(entry: LogEntry): void {
    if (entry.bytes <= longTextLength) {
      this.#write(`data: {"json":${entry.json}}\nid: ${entry.seq}\n\n`);
      return;
    }
    const { bytes, release } = this.#options.longTexts.hold(entry, this);
    const parts = [Buffer.from('data: {"json":'), bytes, Buffer.from(`}\nid: ${entry.seq}\n\n`)];
    this.#sendingLong = writeInPieces(parts, this.#outlet()).finally(() => {
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
    // What is sent at the moment is a sign of life, and nothing may stand inside of it.
    if (this.ready() !== undefined || !this.#response.headersSent) return;
    if (this.#pings >= pingsPerStream) this.end();
    else this.#write("event: ping\ndata: \n\n");
  }
}
