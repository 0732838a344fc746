/** Bodies that a provider sends compressed, though it was asked not to. */
import { pipeline, Readable, type Transform } from "node:stream";
import zlib, { constants, createBrotliDecompress, createUnzip } from "node:zlib";
import { BodyFeed } from "./body-feed.ts";
import { Pump } from "./pump.ts";
import type { Pieces } from "./sse-split.ts";

// What has come is decoded at once, and a missing trailer passes, as with the stock fetch.
const unzip = (): Transform =>
  createUnzip({ flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH });
const unbrotli = (): Transform =>
  createBrotliDecompress({
    flush: constants.BROTLI_OPERATION_FLUSH,
    finishFlush: constants.BROTLI_OPERATION_FLUSH,
  });
const unzstd = (): Transform =>
  zlib.createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } });

const makers: ReadonlyMap<string, () => Transform> = new Map([
  ["gzip", unzip],
  ["x-gzip", unzip],
  ["deflate", unzip],
  ["br", unbrotli],
  ["zstd", unzstd],
]);

const codingsAtMost = 5;

/** What undoes a Content-Encoding, in order; nothing where a coding is unknown, as in `fetch`. */
export function decodersOf(contentEncoding: string | null): Transform[] {
  if (contentEncoding === null) return [];
  const codings = contentEncoding.toLowerCase().split(",").reverse();
  if (codings.length > codingsAtMost) {
    throw new Error(`The answer is encoded ${codings.length} times, more than ${codingsAtMost}.`);
  }
  const known = codings.map((coding) => makers.get(coding.trim()));
  return known.includes(undefined) ? [] : known.flatMap((make) => make?.() ?? []);
}

/** A feed of the plain body, over the feed of the encoded one. */
export function decode(encoded: BodyFeed, decoders: Transform[], pieces: Pieces): BodyFeed {
  const plain = pipeline([Readable.from(readsOf(encoded)), ...decoders], () => {});
  const chunks = Readable.prototype[Symbol.asyncIterator].call(plain);
  const pump = new Pump({
    next: () => chunks.next(),
    return: async () => Reflect.apply(Readable.prototype.destroy, plain, []),
  });
  const feed = new BodyFeed({
    pieces,
    connection: {
      pause: () => pump.pause(),
      resume: () => pump.resume(),
      close: () => {
        encoded.cancel();
        pump.close();
      },
    },
  });
  void pump.run({
    put: (read) => feed.put(read),
    end: () => feed.end(),
    fail: (error) => {
      const isOfConnection = error === encoded.error;
      encoded.cancel();
      feed.fail(isOfConnection ? error : new TypeError("terminated", { cause: error }));
    },
  });
  return feed;
}

async function* readsOf(feed: BodyFeed): AsyncGenerator<Buffer, void> {
  for (;;) {
    const read = feed.take();
    if (read === null) return;
    if (read === undefined) await new Promise<void>((resolve) => feed.wait(resolve));
    else yield read;
  }
}
