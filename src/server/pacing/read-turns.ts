/**
 * Reads what connections send in turns of the event loop. libuv reads a connection up to 32 times, 2 MiB, before
 * it looks at the next one: a few hundred that always have more to send would keep everybody else waiting for as
 * long as it takes to parse all of that, and hold all of it at once. Past a turn's bytes, whoever is read waits for
 * a later turn, addresses one after another.
 *
 * Reading is stopped at the handle, beneath the stream: the stream is paused and resumed by ws and by Node's HTTP
 * parser, for reasons of their own, and knows nothing of this.
 */
import type { Socket } from "node:net";
import { addressKey } from "../access/addresses.ts";

/** Bytes that are read in a turn of the event loop before the rest waits: some milliseconds' worth of parsing. */
const maxBytesPerTurn = 256 * 1024;
/** What one read has at most: whoever sent that much probably has more. */
const fullReadBytes = 64 * 1024;
/** What a request counts besides its bytes: as many are begun in a turn as are read. */
const requestBytes = 32 * 1024;
/** What resuming a connection counts at least. */
const minResumedBytes = 1024;

interface Handle {
  /** What the stream wants: the handle is read, unless it is stopped here. */
  readonly reading: boolean;
  readStart(): unknown;
  readStop(): unknown;
}

interface Stopped {
  readonly socket: Socket;
  /** What it is expected to bring when it is read again: as much as the last time. */
  bytes: number;
}

export class ReadTurns {
  /** Stopped connections by address, the next one first. */
  readonly #stopped = new Map<string, Stopped[]>();
  readonly #waiting = new Map<Socket, Stopped>();
  /** Connections that are not to be read for a reason of somebody else's. */
  readonly #held = new WeakSet<Socket>();
  readonly #onData: (this: Socket, read: Buffer) => void;
  #bytesThisTurn = 0;
  #turn: NodeJS.Immediate | undefined;

  constructor() {
    const count = (socket: Socket, bytes: number) => this.#count(socket, bytes);
    this.#onData = function (read) {
      count(this, read.length);
    };
  }

  /** Has the connection read in turns from now on, a new one behind those of its address that wait. */
  add(socket: Socket): void {
    socket.prependListener("data", this.#onData);
    if (this.#stopped.has(keyOf(socket))) this.#stop(socket, requestBytes);
  }

  /** A request has come on the connection: it costs as much as many bytes do. */
  request(socket: Socket): void {
    this.#count(socket, requestBytes);
  }

  /** Reads nothing more of the connection until it is released. */
  hold(socket: Socket): void {
    if (this.#held.has(socket)) return;
    this.#held.add(socket);
    handleOf(socket)?.readStop();
  }

  release(socket: Socket): void {
    if (this.#held.delete(socket)) this.#stop(socket, 0);
  }

  #count(socket: Socket, bytes: number): void {
    this.#bytesThisTurn += bytes;
    if (bytes >= fullReadBytes || this.#bytesThisTurn > maxBytesPerTurn) this.#stop(socket, bytes);
    else this.#turn ??= setImmediate(() => this.#nextTurn());
  }

  #stop(socket: Socket, bytes: number): void {
    this.#turn ??= setImmediate(() => this.#nextTurn());
    handleOf(socket)?.readStop();
    // It waits already, where one read has had several requests.
    const waiting = this.#waiting.get(socket);
    if (waiting !== undefined) {
      waiting.bytes += bytes;
      return;
    }
    const stopped = { socket, bytes };
    this.#waiting.set(socket, stopped);
    const key = keyOf(socket);
    const ofAddress = this.#stopped.get(key);
    if (ofAddress === undefined) this.#stopped.set(key, [stopped]);
    else ofAddress.push(stopped);
  }

  #nextTurn(): void {
    this.#turn = undefined;
    this.#bytesThisTurn = 0;
    let resumedBytes = 0;
    for (const [key, ofAddress] of this.#stopped) {
      if (resumedBytes >= maxBytesPerTurn) break;
      const next = ofAddress.shift();
      this.#stopped.delete(key);
      // Behind the other addresses, and visited again after them.
      if (ofAddress.length > 0) this.#stopped.set(key, ofAddress);
      if (next === undefined) continue;
      this.#waiting.delete(next.socket);
      if (!this.#held.has(next.socket)) resumedBytes += resume(next);
    }
    // Whoever is left waits for a turn in which perhaps nobody else is read.
    if (this.#stopped.size > 0) this.#turn = setImmediate(() => this.#nextTurn());
  }
}

function keyOf(socket: Socket): string {
  return addressKey(socket.remoteAddress ?? "");
}

/** @returns bytes that it is expected to read at once */
function resume({ socket, bytes }: Stopped): number {
  const handle = handleOf(socket);
  if (handle === undefined || !handle.reading) return 0;
  handle.readStart();
  return Math.max(bytes, minResumedBytes);
}

/** Undefined for a socket that is closed. */
function handleOf(socket: Socket): Handle | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  return isHandle(handle) ? handle : undefined;
}

function isHandle(handle: unknown): handle is Handle {
  if (typeof handle !== "object" || handle === null) return false;
  const { readStart, readStop }: Partial<Handle> = handle;
  return typeof readStart === "function" && typeof readStop === "function";
}
