/** Streams answers of any length: a JSON value a line, each made when the ones before it were taken. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

/**
 * A failure on the way breaks the connection, so that what came is not taken for all of it. A reader
 * who leaves ends `values`.
 */
export function jsonLines(reply: FastifyReply, values: AsyncIterable<unknown>): FastifyReply {
  const lines = (async function* () {
    for await (const value of values) yield `${JSON.stringify(value)}\n`;
  })();
  // Not as objects: their number would be bounded and not their size.
  return reply.type("application/x-ndjson").send(Readable.from(lines, { objectMode: false }));
}
