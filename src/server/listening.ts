/**
 * Listens at one address with several sockets. The event loop accepts one connection from each in a turn, however
 * long that takes: with one socket, a server that is busy for ten milliseconds a turn lets a hundred clients in a
 * second, and its probes wait behind the ten thousand that come back after a failure.
 */
import cluster from "node:cluster";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import type { FastifyInstance } from "fastify";

export interface ListenOptions {
  /** Default: `localhost`. */
  readonly host?: string;
  /** 0: one that is free. */
  readonly port: number;
}

/** Connections that are accepted in a turn at most. Of each socket, 511 wait in the system for it. */
const sockets = 8;
/** How systems say that they cannot share a port. */
const unsupported: ReadonlySet<unknown> = new Set(["ENOTSUP", "EINVAL", "ENOPROTOOPT"]);

export class Listening {
  readonly #app: FastifyInstance;
  readonly #more: Server[] = [];

  /** To be made before the server is ready. */
  constructor(app: FastifyInstance) {
    this.#app = app;
    app.addHook("preClose", async () => {
      for (const server of this.#more) server.close();
    });
  }

  /**
   * @returns the address, such as `http://127.0.0.1:3000`
   * @throws the system's error, such as EADDRINUSE
   */
  async listen({ host = "localhost", port }: ListenOptions): Promise<string> {
    // A worker of node:cluster shares the socket of its primary.
    const shared = cluster.isWorker ? undefined : await this.#listenShared({ host, port });
    return shared ?? (await this.#app.listen({ host, port }));
  }

  /** @returns undefined where the system lets no sockets share a port */
  async #listenShared({ host, port }: Required<ListenOptions>): Promise<string | undefined> {
    // Loaded before it looks at the port: what took it in between would share it.
    await this.#app.ready();
    // Two servers of one user could share a port, and have half of the clients each: the second is refused.
    await closed(await listening({ host, port }));
    const options = { host, port, reusePort: true };
    const url = await this.#app.listen(options).catch(undefinedIfUnsupported);
    if (url === undefined) return undefined;
    const { server } = this.#app;
    const { address, port: taken } = server.address() as AddressInfo;
    while (this.#more.length < sockets - 1) {
      const more = await listening({ host: address, port: taken, reusePort: true });
      more.on("connection", (socket) => server.emit("connection", socket));
      this.#more.push(more);
    }
    return url;
  }
}

async function listening(
  options: Required<ListenOptions> & { reusePort?: boolean },
): Promise<Server> {
  // As Node's HTTP server has it.
  const server = createServer({ noDelay: true, allowHalfOpen: true }).listen(options);
  await once(server, "listening");
  return server;
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}

function undefinedIfUnsupported(cause: unknown): undefined {
  if (cause instanceof Error && "code" in cause && unsupported.has(cause.code)) return undefined;
  throw cause;
}
