/**
 * A TCP proxy that is as bad as a network can be: it cuts, stalls, slows down and refuses. It knows
 * nothing of what it carries.
 *
 *   await using proxy = await startTcpProxy({ port: server.port });
 *   proxy.cut();                          // every connection breaks, as when a phone changes cells
 *   proxy.pause(); proxy.resume();        // nothing gets through, and nobody is told
 *   proxy.throttle(32 * 1024);            // bytes a second, each connection and way
 *   proxy.delay(250);                     // milliseconds that everything takes, each way
 *   proxy.refuse(); proxy.accept();       // new connections break at once
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** How often a throttled connection gets its share. */
const throttleStepMs = 20;
/** Pieces of a slow connection that are on their way at once; the rest stays with the sender. */
const maxUnderway = 64;

export interface TcpProxyOptions {
  /** Where the connections go; asked for each one, it makes a load balancer. */
  readonly port: number | (() => number);
  /** Default: 127.0.0.1. */
  readonly host?: string;
}

/** Bytes that the proxy has handed on, all connections together. */
export interface CarriedBytes {
  readonly toServer: number;
  readonly toClient: number;
}

export class TcpProxy implements AsyncDisposable {
  readonly #target: { readonly port: () => number; readonly host: string };
  readonly #server = createServer((client) => this.#carry(client));
  readonly #sockets = new Set<Socket>();
  readonly #carried = { toServer: 0, toClient: 0 };
  #connections = 0;
  #refusing = false;
  #paused: Partial<Record<keyof CarriedBytes, PromiseWithResolvers<void>>> = {};
  /** Bytes to the client that are let through before everything breaks. */
  #bytesUntilCut = Number.POSITIVE_INFINITY;
  #bytesPerStep = Number.POSITIVE_INFINITY;
  #delayMs = 0;
  #connected = Promise.withResolvers<void>();
  readonly #arrival = {
    toServer: Promise.withResolvers<void>(),
    toClient: Promise.withResolvers<void>(),
  };

  constructor({ port, host = "127.0.0.1" }: TcpProxyOptions) {
    this.#target = { port: typeof port === "number" ? () => port : port, host };
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections taken so far, refused ones included. */
  get connections(): number {
    return this.#connections;
  }

  get carried(): CarriedBytes {
    return { ...this.#carried };
  }

  /** Settles with the next connection that is let through. */
  connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** Settles with the next bytes that reach the proxy, whether it hands them on or not. */
  arrival(way: keyof CarriedBytes): Promise<void> {
    return this.#arrival[way].promise;
  }

  /** Breaks every connection, both ways, without a goodbye. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** From now on new connections break at once; those that exist go on. */
  refuse(): void {
    this.#refusing = true;
  }

  accept(): void {
    this.#refusing = false;
  }

  /** Breaks every connection when so many more bytes have gone to a client, within a frame or not. */
  cutAfter(bytesToClient: number): void {
    this.#bytesUntilCut = bytesToClient;
  }

  /** From now on nothing gets through, on new connections neither, and nobody is told. */
  pause(...ways: (keyof CarriedBytes)[]): void {
    for (const way of ways.length === 0 ? (["toServer", "toClient"] as const) : ways) {
      this.#paused[way] ??= Promise.withResolvers<void>();
    }
  }

  resume(): void {
    for (const paused of Object.values(this.#paused)) paused.resolve();
    this.#paused = {};
  }

  /** @param bytesPerSecond what each connection carries each way; Infinity takes the limit off */
  throttle(bytesPerSecond: number): void {
    this.#bytesPerStep = Math.max(1, (bytesPerSecond * throttleStepMs) / 1000);
  }

  /** From now on whatever gets through takes that long, each way, and nothing overtakes. */
  delay(milliseconds: number): void {
    this.#delayMs = milliseconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.resume();
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #carry(client: Socket): void {
    this.#connections++;
    if (this.#refusing) {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const { port, host } = this.#target;
    const server = connect({ port: port(), host });
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    }
    client.on("error", () => server.resetAndDestroy());
    server.on("error", () => client.resetAndDestroy());
    void this.#pump(client, server, "toServer");
    void this.#pump(server, client, "toClient");
    this.#connected.resolve();
    this.#connected = Promise.withResolvers();
  }

  async #resumed(way: keyof CarriedBytes): Promise<void> {
    for (let paused = this.#paused[way]; paused !== undefined; paused = this.#paused[way]) {
      await paused.promise;
    }
  }

  /** Whether this part is the one within which everything breaks. */
  #cutsWithin(part: Buffer, client: Socket): boolean {
    if (part.length <= this.#bytesUntilCut) {
      this.#bytesUntilCut -= part.length;
      return false;
    }
    const last = part.subarray(0, this.#bytesUntilCut);
    this.#bytesUntilCut = Number.POSITIVE_INFINITY;
    client.write(last, () => this.cut());
    return true;
  }

  /** Reads only what it can hand on, so a stall fills the sender's buffers as a real one would. */
  async #pump(from: Socket, to: Socket, way: keyof CarriedBytes): Promise<void> {
    try {
      for await (const chunk of this.#delayed(from)) {
        this.#arrival[way].resolve();
        this.#arrival[way] = Promise.withResolvers();
        for (let start = 0; start < chunk.length; ) {
          const part = chunk.subarray(start, start + Math.ceil(this.#bytesPerStep));
          if (Number.isFinite(this.#bytesPerStep)) await delay(throttleStepMs);
          await this.#resumed(way);
          if (to.destroyed) return;
          this.#carried[way] += part.length;
          if (way === "toClient" && this.#cutsWithin(part, to)) return;
          if (!to.write(part)) await Promise.race([once(to, "drain"), once(to, "close")]);
          start += part.length;
        }
      }
      await this.#resumed(way);
      to.end();
    } catch {
      to.destroy();
    }
  }

  /** Reads on while what was read before is still on its way. */
  async *#delayed(from: Socket): AsyncGenerator<Buffer> {
    const underway: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
    let news = Promise.withResolvers<void>();
    let over = false;
    const end = () => {
      over = true;
      news.resolve();
    };
    from.on("data", (chunk: Buffer) => {
      underway.push({ chunk, dueMs: performance.now() + this.#delayMs });
      if (underway.length >= (this.#delayMs > 0 ? maxUnderway : 1)) from.pause();
      news.resolve();
    });
    from.once("end", end).once("close", end);
    for (;;) {
      const next = underway.shift();
      if (next === undefined) {
        if (over) return;
        await news.promise;
        news = Promise.withResolvers();
        continue;
      }
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) await delay(waitMs);
      yield next.chunk;
      if (underway.length === 0) from.resume();
    }
  }
}

export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const proxy = new TcpProxy(options);
  await proxy.listen();
  return proxy;
}
