/**
 * A WebSocket that notices when its other end is gone. It wraps the platform's own, and uses of it only
 * opening, sending, closing and its events: whatever class that is, nothing here throws.
 */
import { AdaptiveTimeout, Liveness, type LivenessOptions } from "./liveness.ts";

/** How long the other end may take to answer a close frame. */
const closeTimeoutMs = 1_000;
/** Characters from which the messages of a batch leave one by one: servers take frames up to a size. */
const maxBatchLength = 8 * 1024;
const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

export interface SocketHostOptions extends LivenessOptions {
  readonly WebSocket: typeof WebSocket | undefined;
  /** Called before a socket opens, which it does when this has settled. */
  readonly untilDue: () => Promise<void> | undefined;
  /** A socket did not open. @param cause where the platform did not even try */
  readonly onFailed: (cause?: unknown) => void;
}

interface SocketEvent {
  readonly type: "open" | "message" | "error" | "close";
  readonly data?: string;
  readonly code?: number;
}

type Listener = (this: HeartbeatSocket, event: SocketEvent) => void;
/** The package `ws` has `terminate`: ends a socket whose other end will not answer the close frame. */
type Terminable = WebSocket & { readonly terminate?: () => void };

/** What the sockets of one client share. */
export class SocketHost {
  readonly options: SocketHostOptions;
  readonly pongTimeout: AdaptiveTimeout;
  readonly sockets = new Set<HeartbeatSocket>();

  constructor(options: SocketHostOptions) {
    this.options = options;
    this.pongTimeout = new AdaptiveTimeout(options.pongTimeoutMs);
  }

  /** Somebody is back after a sleep, or on another network. */
  wake(): void {
    for (const socket of this.sockets) socket.wake();
  }

  /** The class of its sockets, as far as tRPC's client uses one. */
  get WebSocket(): typeof WebSocket {
    const host = this;
    const HostedSocket = class extends HeartbeatSocket {
      constructor(url: string) {
        super(host, url);
      }
    };
    return HostedSocket as unknown as typeof WebSocket;
  }
}

class HeartbeatSocket {
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  readonly OPEN = OPEN;
  binaryType = "arraybuffer";
  readonly #host: SocketHost;
  readonly #url: string;
  readonly #listeners: Record<SocketEvent["type"], Map<Listener, boolean>> = {
    open: new Map(),
    message: new Map(),
    error: new Map(),
    close: new Map(),
  };
  /** Pings without an answer, oldest first: when those of this class were sent; tRPC's have none. */
  readonly #pings: (number | undefined)[] = [];
  #state = CONNECTING;
  #base: Terminable | undefined;
  #openingSinceMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #liveness: Liveness | undefined;
  #decoder: InstanceType<typeof TextDecoder> | undefined;
  #chunks = "";

  constructor(host: SocketHost, url: string) {
    this.#host = host;
    this.#url = url;
    host.sockets.add(this);
    // Not before there are listeners.
    void Promise.resolve(host.options.untilDue()).then(() => this.#open());
  }

  get readyState(): number {
    return this.#state;
  }

  addEventListener(type: SocketEvent["type"], listener: Listener, options?: { once?: boolean }) {
    this.#listeners[type].set(listener, options?.once === true);
  }

  removeEventListener(type: SocketEvent["type"], listener: Listener): void {
    this.#listeners[type].delete(listener);
  }

  send(data: string): void {
    if (this.#state !== OPEN) return;
    if (data === "PING") this.#pings.push(undefined);
    else if (data !== "PONG") this.#liveness?.expectAnswer();
    this.#quietly((base) => {
      for (const frame of framesOf(data)) base.send(frame);
    });
  }

  close(code?: number, reason?: string): void {
    if (this.#state === CONNECTING) this.#end();
    if (this.#state === OPEN) {
      this.#state = CLOSING;
      this.#timer = setTimeout(() => this.#end(), closeTimeoutMs);
    }
    this.#quietly((base) => base.close(code, reason));
  }

  /** After a sleep or a change of network: pings an open socket, and retries one that is opening. */
  wake(): void {
    if (this.#state === OPEN) this.#liveness?.ask();
    const since = this.#openingSinceMs;
    if (since !== undefined && performance.now() - since > this.#host.pongTimeout.ms)
      this.#abandon();
  }

  #open(): void {
    if (this.#state !== CONNECTING) return;
    const { WebSocket: given, connectTimeoutMs, onFailed } = this.#host.options;
    // The platform's own is looked for now: a server that renders has none, and needs none.
    const Base = given ?? globalThis.WebSocket;
    this.#openingSinceMs = performance.now();
    try {
      if (Base === undefined) throw new TypeError("No WebSocket here: pass a class as an option.");
      const base: Terminable = new Base(this.#url);
      this.#base = base;
      base.binaryType = "arraybuffer";
      base.addEventListener("open", () => this.#opened());
      base.addEventListener("message", ({ data }) => this.#receive(data));
      base.addEventListener("close", ({ code }) => this.#lost(code));
      // The close that follows says all that there is to know; without a listener, `ws` throws.
      base.addEventListener("error", () => {});
      this.#timer = setTimeout(() => this.#abandon(), connectTimeoutMs);
    } catch (cause) {
      onFailed(cause);
      this.#end();
    }
  }

  #opened(): void {
    if (this.#state !== CONNECTING || this.#openingSinceMs === undefined) return;
    const { options, pongTimeout } = this.#host;
    clearTimeout(this.#timer);
    this.#state = OPEN;
    // A handshake takes two round trips, or three.
    pongTimeout.answered((performance.now() - this.#openingSinceMs) / 2);
    this.#openingSinceMs = undefined;
    this.#liveness = new Liveness(options, pongTimeout, {
      ping: () => {
        this.#pings.push(performance.now());
        this.#quietly((base) => base.send("PING"));
      },
      dead: () => this.#abandon(),
    });
    this.#dispatch({ type: "open" });
  }

  #receive(data: unknown): void {
    if (this.#state === CLOSED) return;
    this.#liveness?.heard();
    if (typeof data !== "string") {
      this.#decoder ??= new TextDecoder();
      this.#chunks += this.#decoder.decode(data as ArrayBuffer, { stream: true });
    } else if (data === "") {
      const whole = this.#chunks;
      this.#chunks = "";
      this.#dispatch({ type: "message", data: whole });
    } else if (data !== "PONG" || !this.#answered()) {
      this.#dispatch({ type: "message", data });
    }
  }

  /** @returns whether the ping was of this class: what only keeps it alive is no use of a socket */
  #answered(): boolean {
    const sentAtMs = this.#pings.shift();
    if (sentAtMs === undefined) return false;
    this.#host.pongTimeout.answered(performance.now() - sentAtMs);
    return true;
  }

  /** The other end is gone: closes without waiting for its close frame. */
  #abandon(): void {
    this.#lost();
    this.#quietly((base) => (base.terminate ?? base.close).call(base));
  }

  #lost(code?: number): void {
    if (this.#state === CONNECTING) this.#host.options.onFailed();
    this.#end(code);
  }

  #end(code?: number): void {
    if (this.#state === CLOSED) return;
    const neverOpened = this.#state === CONNECTING;
    this.#state = CLOSED;
    clearTimeout(this.#timer);
    this.#liveness?.stop();
    this.#host.sockets.delete(this);
    // After an error tRPC connects again even where nothing needs it.
    if (neverOpened) this.#dispatch({ type: "error" });
    this.#dispatch({ type: "close", ...(code === undefined ? {} : { code }) });
  }

  #quietly(use: (base: Terminable) => void): void {
    try {
      if (this.#base !== undefined) use(this.#base);
    } catch {
      // It has ended, or is about to say so.
    }
  }

  #dispatch(event: SocketEvent): void {
    for (const [listener, once] of [...this.#listeners[event.type]]) {
      if (once) this.#listeners[event.type].delete(listener);
      listener.call(this, event);
    }
  }
}

/** All that a client has comes back as one batch, which may be too long though no message in it is. */
function framesOf(data: string): readonly string[] {
  if (data.length < maxBatchLength || !data.startsWith("[")) return [data];
  return (JSON.parse(data) as unknown[]).map((message) => JSON.stringify(message));
}
