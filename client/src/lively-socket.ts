/** A WebSocket that notices when its other end is not there any more. */

/** How long the other end may take to answer a goodbye. */
const closeTimeoutMs = 1_000;

/**
 * Platforms wait long, some for ever, for the handshake of a server that does not answer, and for
 * the goodbye of one that is gone. Until they give up, nobody would open another socket.
 */
export function livelySocket(
  Base: typeof WebSocket,
  { connectTimeoutMs }: { connectTimeoutMs: number },
): typeof WebSocket {
  return class LivelySocket extends Base {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args);
      const timer = setTimeout(() => this.close(), connectTimeoutMs);
      for (const type of ["open", "error", "close"]) {
        this.addEventListener(type, () => clearTimeout(timer), { once: true });
      }
    }

    override close(code?: number, reason?: string): void {
      const opened = this.readyState !== this.CONNECTING;
      super.close(code, reason);
      const timer = setTimeout(() => {
        if (!opened) this.dispatchEvent(new Event("error"));
        this.dispatchEvent(new Event("close"));
      }, closeTimeoutMs);
      this.addEventListener("close", () => clearTimeout(timer), { once: true });
    }
  };
}
