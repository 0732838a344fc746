/** A provider that sends exactly the bytes it is told to, cut where it is told to. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

export type Responder = (
  request: IncomingMessage,
  response: ServerResponse,
) => void | Promise<void>;

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** Answers whose connection is open, and which are not complete. */
  readonly openAnswers: ReadonlySet<ServerResponse>;
  /** How many connections were ever made. */
  readonly connectionCount: number;
  respond: Responder;
}

export async function startServer(respond: Responder): Promise<TestServer> {
  const openAnswers = new Set<ServerResponse>();
  let connectionCount = 0;
  const server = createServer((request, response) => {
    openAnswers.add(response);
    response.on("close", () => openAnswers.delete(response));
    // A client that goes away is what some tests are about.
    Promise.resolve(running.respond(request, response)).catch(() => response.destroy());
  });
  server.on("connection", () => {
    connectionCount += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const running: TestServer = {
    url: `http://127.0.0.1:${port}`,
    openAnswers,
    get connectionCount() {
      return connectionCount;
    },
    respond,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return running;
}

/** Writes piece after piece; each has left this process before the next one is written. */
export async function writePieces(
  response: ServerResponse,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  for (const piece of pieces) {
    await new Promise<void>((resolve) => response.write(piece, () => resolve()));
    await nextTurn();
  }
}

/** Cuts bytes at these places, in any order; places past the end are taken modulo the length. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort(
    (one, other) => one - other,
  );
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
}

export const eventStream = { "content-type": "text/event-stream; charset=utf-8" };
