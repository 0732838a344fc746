/**
 * A proxy in front of Postgres that knows which statement an answer belongs to, and does to it what
 * networks and dying machines do. A client sends one statement at a time, so whatever comes back
 * before it sends again is the answer.
 *
 *   proxy.next(/^commit/i, "lostAnswer");   // carried out; the connection breaks in place of an answer
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export const answerFaults = [
  /** It is not carried out: the connection breaks before. */
  "lostRequest",
  /** It is carried out; the connection breaks in place of the answer. */
  "lostAnswer",
  /** It is carried out; nothing more comes on that connection, which stays open. */
  "noAnswer",
  /** It arrives after a while. */
  "lateRequest",
  /** The connection breaks for the client, and the request arrives after a while all the same. */
  "orphanedRequest",
  /** It is carried out at once, and answered after a while. */
  "lateAnswer",
] as const;
export type AnswerFault = (typeof answerFaults)[number];

interface Armed {
  readonly statement: RegExp;
  readonly fault: AnswerFault;
  /** Only in a transaction in which this was part of a request before: a conversation's id, say. */
  readonly about: string;
  readonly hit: PromiseWithResolvers<void>;
}

export interface PostgresProxyOptions {
  readonly port: number;
  /** How late what is late is. Default: 1.5 s. */
  readonly lateMs?: number;
}

export class PostgresProxy implements AsyncDisposable {
  readonly #options: PostgresProxyOptions;
  readonly #server = createServer((client) => this.#carry(client));
  readonly #sockets = new Set<Socket>();
  readonly #armed = new Set<Armed>();

  constructor(options: PostgresProxyOptions) {
    this.#options = options;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The url of a database of the server behind it. */
  url(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.port = String(this.port);
    return url.href;
  }

  /**
   * Does it to the next statement like this one.
   * @param about only in a transaction that has spoken of this; others commit meanwhile
   * @returns settles when that has come
   */
  next(statement: RegExp, fault: AnswerFault, about = ""): Promise<void> {
    const armed = { statement, fault, about, hit: Promise.withResolvers<void>() };
    this.#armed.add(armed);
    return armed.hit.promise;
  }

  /** Does nothing any more to what comes from now on. */
  disarm(): void {
    this.#armed.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #carry(client: Socket): void {
    const { port, lateMs = 1_500 } = this.#options;
    const server = connect({ port, host: "127.0.0.1" });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
    }
    const cut = () => {
      client.resetAndDestroy();
      server.destroy();
    };
    let onAnswer = (answer: Buffer): void => void client.write(answer);
    const pass = onAnswer;
    let transaction = "";
    client.on("data", (request) => {
      onAnswer = pass;
      const said = request.toString("latin1");
      transaction = /\bbegin\b/.test(said) ? said : transaction + said;
      switch (this.#faultOf(request, transaction)) {
        case "lostRequest":
          return cut();
        case "lostAnswer":
          onAnswer = () => cut();
          break;
        case "noAnswer":
          onAnswer = () => {};
          break;
        case "orphanedRequest":
          client.resetAndDestroy();
          setTimeout(() => server.write(request), lateMs);
          return;
        case "lateRequest":
          setTimeout(() => server.write(request), lateMs);
          return;
        case "lateAnswer":
          onAnswer = (answer) => void setTimeout(() => client.write(answer), lateMs);
          break;
        case undefined:
          break;
      }
      server.write(request);
    });
    server.on("data", (answer) => onAnswer(answer));
    client.on("close", () => setTimeout(() => server.destroy(), 2 * lateMs).unref());
    server.on("close", () => client.destroy());
  }

  #faultOf(request: Buffer, transaction: string): AnswerFault | undefined {
    if (this.#armed.size === 0) return undefined;
    const statement = statementOf(request);
    if (statement === undefined) return undefined;
    for (const armed of this.#armed) {
      if (!armed.statement.test(statement) || !transaction.includes(armed.about)) continue;
      this.#armed.delete(armed);
      armed.hit.resolve();
      return armed.fault;
    }
    return undefined;
  }
}

/** The statement of a `Query` or `Parse` message; pg gives statements no names. */
function statementOf(request: Buffer): string | undefined {
  const type = String.fromCharCode(request[0] ?? 0);
  if (type !== "Q" && type !== "P") return undefined;
  const start = type === "Q" ? 5 : request.indexOf(0, 5) + 1;
  return request.toString("utf8", start, request.indexOf(0, start));
}

export async function startPostgresProxy(options: PostgresProxyOptions): Promise<PostgresProxy> {
  const proxy = new PostgresProxy(options);
  await proxy.listen();
  return proxy;
}
