/**
 * One WebSocket: its caller, its pace, its end.
 *
 *   unidentified ── authenticated ──▶ open ── expired, stuck, flooding, restart ──▶ closing ──▶ closed
 *        └── no parameters in time, or wrong ones ─────────────────────────────────────┘
 *
 * Nothing is read from it while its caller is being authenticated, nor while its backlog is full: what
 * the client sends then stays in the kernel's buffers, and in the end in the client's.
 */
import type { Socket } from "node:net";
import { getTRPCErrorFromUnknown } from "@trpc/server";
import type { WebSocket } from "ws";
import { toLangwireError } from "../../api/errors.ts";
import type { LogEntry } from "../../log/entry.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { usedUp } from "../../runs/admission/used-up.ts";
import type { Pacer } from "../../runs/following/pacer.ts";
import type { Identity } from "../access/callers.ts";
import type { PartialSender } from "../pacing/partial-input.ts";
import { between, longTextLength } from "../pacing/pieces.ts";
import { SocketPacer } from "../pacing/socket-pacer.ts";
import { type Holder, StallClock } from "../pacing/stall-clock.ts";
import type { WorkQueue } from "../pacing/work-queue.ts";
import { closeCodeOf, closeCodes } from "./close-codes.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import type { Expiring } from "./expiries.ts";
import { FrameInlet, type FrameTaker } from "./frames/frame-inlet.ts";
import { FrameSender } from "./frames/frame-sender.ts";
import { aroundEvent, eventFrame } from "./frames/outgoing-frames.ts";
import { Liveness } from "./liveness.ts";
import type { SocketHost } from "./socket-host.ts";

/** Receives what comes on a socket. */
export interface SocketListener {
  /** One frame; a binary one comes as an empty text. */
  receive(text: string): void;
  /** The socket has closed. */
  end(): void;
}

/** One WebSocket, the TCP socket beneath it, and where it comes from. */
export interface SocketParts {
  readonly webSocket: WebSocket;
  readonly socket: Socket;
  readonly address: string;
}

/** A close frame waits behind the backlog; a socket that takes nothing is terminated after this. */
export const closeGraceMs = 1_000;

export class SocketConnection implements Expiring, Holder, FrameTaker, PartialSender {
  readonly address: string;
  readonly #sender: FrameSender;
  #stall: StallClock | undefined;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #host: SocketHost;
  /** Closes an unidentified socket; later, terminates one that is closing and does not close. */
  #deadline: NodeJS.Timeout | undefined;
  #userId: string | undefined;
  readonly #inlet: FrameInlet;
  #listener: SocketListener | undefined;
  /** Set while the caller is being authenticated. */
  #identifying: Promise<void> | undefined;
  #subscriptions = 0;
  readonly #liveness: Liveness;
  #closing = false;

  constructor(host: SocketHost, { webSocket, socket, address }: SocketParts) {
    const { authTimeoutMs, maxBacklogBytes, slowReaderMs } = host.limits;
    this.#host = host;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.address = address;
    const pacer = new SocketPacer(socket, {
      maxBacklogBytes,
      maxStallMs: slowReaderMs,
      onStuck: () => this.cut(),
    });
    this.#sender = new FrameSender({ webSocket, socket, pacer, turn: host.turn });
    this.#inlet = new FrameInlet(webSocket, { socket, taker: this });
    this.#liveness = new Liveness(webSocket, socket);
    this.#deadline = setTimeout(() => this.close(closeCodes.unidentified, noParams), authTimeoutMs);
  }

  /** Paces the readers on this socket. */
  get pacer(): Pacer {
    return this.#sender;
  }

  get limits(): ConnectionLimits {
    return this.#host.limits;
  }

  get work(): WorkQueue {
    return this.#host.work;
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** Undefined until the caller is authenticated. */
  get userId(): string | undefined {
    return this.#userId;
  }

  /** Bytes that wait in this process for the other end. */
  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends long frames as several messages, because the client asked for that. */
  sendInChunks(): void {
    this.#sender.chunked = true;
  }

  /** To be called once, right after it was made. */
  listen(listener: SocketListener): void {
    this.#listener = listener;
    this.#webSocket.on("close", () => {
      this.#closing = true;
      clearTimeout(this.#deadline);
      this.#inlet.closed();
      listener.end();
      this.#host.ended(this);
    });
  }

  /** Reads nothing until `identify` has settled. Closes the socket when it fails. */
  async identified(identify: () => Promise<Identity>): Promise<Identity> {
    const release = this.holdReading();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#identifying = promise;
    // Whoever identifies it has a time limit too, and says by which error that was reached.
    clearTimeout(this.#deadline);
    try {
      const identity = await identify();
      if (this.#closing) return identity;
      this.#host.registerUser(this, identity);
      this.#userId = identity.userId;
      this.#deadline = undefined;
      return identity;
    } catch (cause) {
      const { code } = toLangwireError(getTRPCErrorFromUnknown(cause));
      this.#refuse(code);
      throw cause;
    } finally {
      this.#identifying = undefined;
      resolve();
      release();
    }
  }

  receive(text: string): void {
    this.#listener?.receive(text);
  }

  busy(): Promise<void> | undefined {
    return this.#sender.ready();
  }

  charge(bytes: number): void {
    if (this.#userId !== undefined) this.work.charge(this.#userId, bytes);
  }

  owed(): Promise<void> | undefined {
    if (this.#identifying !== undefined) return this.#identifying;
    return this.#userId === undefined ? undefined : this.work.owed(this.#userId);
  }

  /** Counts a request that was refused before it was a call: it costs its user as much as one. */
  countRefused(): void {
    if (this.#userId !== undefined) this.work.countRefused(this.#userId);
  }

  /** Pauses reading. @returns resumes it, once everybody who has paused it does */
  holdReading(): () => void {
    return this.#inlet.holdReading();
  }

  openSubscription(): () => void {
    const max = this.#host.limits.maxSubscriptionsPerSocket;
    if (this.#subscriptions >= max) throw usedUp({ what: "subscriptions on one connection", max });
    this.#host.enterSubscription(this.#userId ?? "");
    this.#subscriptions += 1;
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      this.#subscriptions -= 1;
      this.#host.leaveSubscription(this.#userId ?? "");
    };
  }

  /** Pings the socket; terminates it when the last ping was not answered, or when it takes nothing. */
  checkAlive(): void {
    this.#inlet.checked();
    const { slowReaderMs } = this.#host.limits;
    if (this.#liveness.check({ slowReaderMs, closing: this.#closing })) this.cut();
  }

  flood(reason: string): void {
    this.#closeUnread(closeCodes.tooMany, reason);
  }

  holdPartial(bytes: number): void {
    this.#host.partialInput.hold(this, bytes);
  }

  cutPartial(): void {
    this.#closeUnread(closeCodes.tryAgainLater, "too much waits for the rest of its message");
  }

  send(text: string): void {
    if (!this.#closing) this.#sender.send(text);
  }

  /** Sends an event after a subscription's head. The bytes of a long one are shared by its readers. */
  sendEvent(head: string, entry: LogEntry): void {
    if (this.#closing) return;
    if (entry.bytes <= longTextLength) {
      const frame = this.#host.turn.frameOf(head, entry);
      if (this.#sender.sendsWhole(frame)) this.#sender.sendFrame(frame);
      else this.#sender.send(eventFrame(head, entry));
      return;
    }
    const { pieces, release } = this.#host.longTexts.hold(entry, this);
    const [before, after] = aroundEvent(head, entry.seq);
    this.#sender.sendLong(() => between(before, pieces, after), release);
  }

  stalledMs(): number {
    this.#stall ??= new StallClock(this.#socket);
    return this.#stall.stalledMs();
  }

  cut(): void {
    this.close(closeCodes.slowReader, "slow reader");
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#webSocket.close(code, reason);
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#webSocket.terminate(), closeGraceMs);
    this.#webSocket.resume();
  }

  /** The close frame leaves; the client's answer to it is not waited for. */
  #closeUnread(code: number, reason: string): void {
    this.#inlet.closed();
    this.close(code, reason);
    this.#webSocket.pause();
  }

  expire(): void {
    this.close(closeCodes.unauthorized, "token expired");
  }

  /** Closes in the next turn: the error itself, which the caller of `identified` sends, goes first. */
  #refuse(code: ErrorCode): void {
    const closeCode = closeCodeOf(code);
    const reason = closeCode === closeCodes.unidentified ? noParams : code;
    setImmediate(() => this.close(closeCode, reason));
  }
}

const noParams = "no connection parameters";
