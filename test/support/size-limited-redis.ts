/**
 * A proxy before a real Redis that refuses commands above a size, as hosted ones do:
 *
 *   await using limited = await startSizeLimitedRedis({ port: redis.port, maxBytes: 8 * 1024 });
 *   limited.maxBytes = Infinity;          // from now on it takes everything
 *
 * In place of a command that is too large Redis is sent one that it answers with the error, so answers keep
 * their order.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

const refusal = "ERR max request size exceeded";
const refusing = commandOf(["EVAL", `return redis.error_reply('${refusal}')`, "0"]);

export interface SizeLimitedRedisOptions {
  /** Of the real one. */
  readonly port: number;
  /** Of a whole command as it is sent. */
  readonly maxBytes: number;
}

export class SizeLimitedRedis implements AsyncDisposable {
  maxBytes: number;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#carry(client));

  constructor({ port, maxBytes }: SizeLimitedRedisOptions) {
    this.#port = port;
    this.maxBytes = maxBytes;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #carry(client: Socket): void {
    const server = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {}).on("close", () => other.destroy());
      socket.on("close", () => this.#sockets.delete(socket));
    }
    server.pipe(client);
    let unread: Buffer = Buffer.alloc(0);
    client.on("data", (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      for (let end = endOfCommand(unread); end !== undefined; end = endOfCommand(unread)) {
        const command = unread.subarray(0, end);
        server.write(command.length > this.maxBytes ? refusing : command);
        unread = unread.subarray(end);
      }
    });
  }
}

export async function startSizeLimitedRedis(
  options: SizeLimitedRedisOptions,
): Promise<SizeLimitedRedis> {
  const redis = new SizeLimitedRedis(options);
  await redis.listen();
  return redis;
}

function commandOf(words: readonly string[]): Buffer {
  const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${bulks.join("")}`);
}

/** Where the first command ends: `*<words>`, then of each word `$<bytes>` and the word. */
function endOfCommand(bytes: Buffer): number | undefined {
  const words = numberAt(bytes, 0);
  if (words === undefined) return undefined;
  let at = words.end;
  for (let word = 0; word < words.value; word++) {
    const length = numberAt(bytes, at);
    if (length === undefined) return undefined;
    at = length.end + length.value + 2;
  }
  return at <= bytes.length ? at : undefined;
}

/** The number of a line, behind its first character. */
function numberAt(bytes: Buffer, at: number): { value: number; end: number } | undefined {
  const end = bytes.indexOf("\r\n", at);
  if (end === -1) return undefined;
  return { value: Number(bytes.toString("latin1", at + 1, end)), end: end + 2 };
}
