/** A TCP socket that sends and takes what a test says: no network, and no time. */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";

export class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  destroyed = false;
  /** What waits here for the other end, as `Socket` has it. */
  writableLength = 0;
  writableNeedDrain = false;
  bytesWritten = 0;
  bytesRead = 0;
  readonly _handle = {
    reading: true,
    started: true,
    writeQueueSize: 0,
    readStart: () => {
      this._handle.started = true;
    },
    readStop: () => {
      this._handle.started = false;
    },
  };

  constructor(remoteAddress = "192.0.2.1") {
    super();
    this.remoteAddress = remoteAddress;
  }

  /** For what takes a socket. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  /** Whether it is read: nothing stops that. */
  get isRead(): boolean {
    return this._handle.started;
  }

  /** Bytes come from the other end. */
  read(bytes: Buffer): void {
    this.bytesRead += bytes.length;
    this.emit("data", bytes);
  }

  /** Something is sent, and waits. */
  send(bytes: number): void {
    this.bytesWritten += bytes;
    this.writableLength += bytes;
    this.writableNeedDrain = true;
  }

  /** The other end takes some of what waits, or all of it. */
  take(bytes: number = this.writableLength): void {
    this.writableLength -= bytes;
    if (this.writableLength > 0) return;
    this.writableNeedDrain = false;
    this.emit("drain");
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    process.nextTick(() => this.emit("close"));
  }
}
