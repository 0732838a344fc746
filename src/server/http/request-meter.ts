/**
 * Looks at what is read of an HTTP connection before Node's parser does. The parser makes requests of all that was
 * read before anybody else has a turn, and an object of each chunk of a body, which is kept until the body is
 * whole: chunks of one byte would cost some hundred times what they are. Nothing stops the parser but bytes
 * that are no HTTP.
 */
import type { Socket } from "node:net";
import type { PartialInput, PartialSender } from "../pacing/partial-input.ts";

export interface RequestMeterOptions {
  readonly partialInput: PartialInput;
  /** Refuses the connection for what it holds of requests that are not whole, and closes it. */
  readonly refuse: (socket: Socket) => void;
}

/** Requests that may come in one read. */
const maxRequestsPerRead = 16;
/** Lines since the connection was idle, of headers and of chunks: some of any length, then 64 bytes on average. */
const shortLines = 2_048;
const bytesOfLine = 64;
/** What is held for a line besides its bytes. */
const overheadBytes = 200;

/** Bytes of requests in progress from which a connection counts with those that hold most. */
const countedBytes = 16 * 1024;

const lineEnd = "\r\n";

export class RequestMeter implements PartialSender {
  readonly address: string;
  readonly #socket: Socket;
  readonly #options: RequestMeterOptions;
  /** Of the requests since the connection was idle. */
  #bytes = 0;
  #lines = 0;
  #isCounted = false;

  constructor(socket: Socket, options: RequestMeterOptions) {
    this.address = socket.remoteAddress ?? "";
    this.#socket = socket;
    this.#options = options;
    socket.prependListener("data", this.#onData);
  }

  /** Every request was answered. */
  idle(): void {
    this.#bytes = 0;
    this.#lines = 0;
    this.#count();
  }

  /** The connection has closed, or speaks another protocol now. */
  remove(): void {
    this.#socket.off("data", this.#onData);
    this.idle();
  }

  cutPartial(): void {
    this.#options.refuse(this.#socket);
  }

  readonly #onData = (read: Buffer): void => {
    if (this.#isFlood(read)) {
      read.fill(0);
      this.#socket.destroy();
    }
    this.#count();
  };

  #isFlood(read: Buffer): boolean {
    this.#bytes += read.length;
    let requests = 0;
    for (let at = read.indexOf(lineEnd); at !== -1; ) {
      const next = read.indexOf(lineEnd, at + lineEnd.length);
      // An empty line ends the headers.
      if (next === at + lineEnd.length && ++requests > maxRequestsPerRead) return true;
      if (++this.#lines > shortLines + this.#bytes / bytesOfLine) return true;
      at = next;
    }
    return false;
  }

  #count(): void {
    const bytes = this.#bytes + this.#lines * overheadBytes;
    const isCounted = bytes > countedBytes && !this.#socket.destroyed;
    if (isCounted || this.#isCounted) this.#options.partialInput.hold(this, isCounted ? bytes : 0);
    this.#isCounted = isCounted;
  }
}
