/**
 * One WebSocket: whose it is, how fast it takes what it is sent, and how it ends.
 *
 *   nameless ── identified ──▶ named ── token expired, stuck, flooding, restart ─▶ closing ─▶ closed
 *      └── no name in time, or a wrong one ──────────────────────────────────────────┘
 *
 * Nothing is read from it while its caller is being looked up, nor while more waits for it than it
 * takes: what it sends then stays in the kernel's buffers, and in the end in the client's.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { type ErrorCode, LangwireError } from "../protocol/errors.ts";
import type { Pacer } from "../runs/pacer.ts";
import type { Identity } from "./callers.ts";
import { closeCodes } from "./close-codes.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import { bytesTaken, SocketPacer } from "./socket-pacer.ts";

/** What a connection needs of the others: its places among them, and their shared clock. */
export interface SocketHost {
  readonly limits: ConnectionLimits;
  /** @throws LangwireError RATE_LIMITED; gives back a release */
  takeUserPlace(userId: string): () => void;
  /** Calls back when the time has come. @returns forgets about it */
  expireAt(expiresAtMs: number, end: () => void): () => void;
  /** Counts subscriptions, one up or one down. */
  countSubscriptions(change: 1 | -1): void;
}

/**
 * Characters from which a frame is sent as bytes. A string that the other end does not take at once
 * waits in three bytes a character, beside itself.
 */
const longFrameLength = 16 * 1024;

/** A close frame waits behind the backlog; a socket that takes nothing is cut after this. */
export const closeGraceMs = 1_000;

export class SocketConnection {
  readonly pacer: Pacer;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #host: SocketHost;
  readonly #ended = new DisposableStack();
  readonly #nameless: NodeJS.Timeout;
  #holds = 0;
  #subscriptions = 0;
  #seenBytes = -1;
  #stillSince = 0;
  #closing = false;
  #corked = false;

  constructor(webSocket: WebSocket, request: IncomingMessage, host: SocketHost) {
    const { authTimeoutMs, maxBacklogBytes, slowReaderMs } = host.limits;
    this.#webSocket = webSocket;
    this.#socket = request.socket;
    this.#host = host;
    this.pacer = new SocketPacer(request.socket, {
      maxBacklogBytes,
      patienceMs: slowReaderMs,
      onStuck: () => this.close(closeCodes.slowReader, "slow reader"),
    });
    this.#nameless = setTimeout(
      () => this.close(closeCodes.nameless, "no connection parameters"),
      authTimeoutMs,
    );
    this.#ended.defer(() => clearTimeout(this.#nameless));
    webSocket.on("message", () => this.#holdWhileBusy());
    webSocket.once("close", () => {
      this.#closing = true;
      this.#ended.dispose();
    });
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** Reads nothing until `identify` has settled. Closes the socket when it fails. */
  async identified(identify: () => Promise<Identity>): Promise<Identity> {
    const release = this.#hold();
    try {
      const identity = await identify();
      if (this.#ended.disposed) return identity;
      this.#ended.defer(this.#host.takeUserPlace(identity.userId));
      const { expiresAtMs } = identity;
      if (expiresAtMs !== undefined)
        this.#ended.defer(this.#host.expireAt(expiresAtMs, this.#expire));
      clearTimeout(this.#nameless);
      return identity;
    } catch (cause) {
      const { code } = cause instanceof LangwireError ? cause : { code: undefined };
      this.closeSoon(closeCodeOf(code), code ?? "INTERNAL");
      throw cause;
    } finally {
      release();
    }
  }

  openSubscription(): () => void {
    if (this.#subscriptions >= this.#host.limits.maxSubscriptionsPerSocket) {
      throw new LangwireError("RATE_LIMITED", { message: "Too many subscriptions on one socket." });
    }
    this.#count(1);
    let open = true;
    return () => {
      if (open) this.#count(-1);
      open = false;
    };
  }

  /** Cuts the socket when nothing answers at its other end; else pings it. */
  look(): void {
    const now = performance.now();
    const bytes = this.#socket.bytesRead + bytesTaken(this.#socket);
    const waiting = this.#socket.writableLength > 0 || this.#webSocket.isPaused;
    if (bytes !== this.#seenBytes) {
      this.#stillSince = now;
    } else if (!waiting) {
      this.#webSocket.terminate();
      return;
    } else if (now - this.#stillSince >= this.#host.limits.slowReaderMs) {
      this.close(closeCodes.slowReader, "slow reader");
      return;
    }
    if (!waiting && !this.#closing) this.#webSocket.ping();
    // What the ping itself moves is no sign of life.
    this.#seenBytes = this.#socket.bytesRead + bytesTaken(this.#socket);
  }

  /** What is sent in one turn leaves in one write. */
  send(data: string): void {
    if (this.#closing) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(this.#uncork);
    }
    if (data.length < longFrameLength) this.#webSocket.send(data);
    else this.#webSocket.send(Buffer.from(data), { binary: false });
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.#socket.uncork();
  };

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#webSocket.close(code, reason);
    const timer = setTimeout(() => this.#webSocket.terminate(), closeGraceMs);
    this.#ended.defer(() => clearTimeout(timer));
    this.#webSocket.resume();
  }

  /**
   * For a socket that tRPC turns away: it answers what came on it, and closes it without a code in
   * the next turn; this comes between the two.
   */
  closeSoon(code: number, reason: string): void {
    setImmediate(() => this.close(code, reason));
  }

  readonly #expire = (): void => this.close(closeCodes.unauthorized, "token expired");

  #holdWhileBusy(): void {
    const busy = this.pacer.ready();
    if (busy === undefined || this.#webSocket.isPaused) return;
    const release = this.#hold();
    busy.then(release, release);
  }

  #hold(): () => void {
    this.#holds += 1;
    this.#webSocket.pause();
    return () => {
      this.#holds -= 1;
      if (this.#holds === 0) this.#webSocket.resume();
    };
  }

  #count(change: 1 | -1): void {
    this.#subscriptions += change;
    this.#host.countSubscriptions(change);
  }
}

/** How a socket closes whose caller could not be identified. */
function closeCodeOf(code: ErrorCode | undefined): number {
  switch (code) {
    case "RATE_LIMITED":
      return closeCodes.tooMany;
    case "AUTH_UNAVAILABLE":
      return closeCodes.tryAgainLater;
    default:
      return closeCodes.unauthorized;
  }
}
