/** Turns a source that is pulled into a connection that pushes. It reads ahead, up to the feed's bound. */

/** The provider's side of an answer, for who reads it: flow control, and an end to it. */
export interface ProviderConnection {
  pause(): void;
  resume(): void;
  /** Closes it at once; does nothing when the answer is complete. */
  close(reason: Error): void;
}

/** What a connection delivers into. */
export interface Sink {
  put(read: Buffer): void;
  end(): void;
  fail(error: unknown): void;
}

/** A source of bytes to pull. Unlike a stream's own iterator, `return` need not wait for `next`. */
export interface Source {
  /** @returns no value at the end */
  next(): Promise<{ value?: Uint8Array | undefined }>;
  return(): Promise<unknown>;
}

export function sourceOf(stream: ReadableStream<Uint8Array>): Source {
  const reader = stream.getReader();
  return {
    next: () => reader.read(),
    return: () => reader.cancel(),
  };
}

export class Pump implements ProviderConnection {
  readonly #source: Source;
  #closed = false;
  #paused: PromiseWithResolvers<void> | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  async run(sink: Sink): Promise<void> {
    try {
      for (;;) {
        const { value } = await this.#source.next();
        if (this.#closed) return;
        if (value === undefined) return sink.end();
        const { buffer, byteOffset, byteLength } = value;
        sink.put(Buffer.from(buffer, byteOffset, byteLength));
        await this.#paused?.promise;
      }
    } catch (error) {
      if (!this.#closed) sink.fail(error);
    }
  }

  pause(): void {
    this.#paused = Promise.withResolvers();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  close(): void {
    this.#closed = true;
    this.resume();
    // Closed on purpose: how the source fails because of that is of no interest.
    this.#source.return().catch(() => {});
  }
}
