/** A long text leaves in pieces, each when the one before was taken. */
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { writeInPieces } from "../../src/server/pacing/pieces.ts";

const kibibyte = 1024;

/** An outlet that takes a piece when the test says so, and what has happened. */
function slowOutlet() {
  const happened: string[] = [];
  let taken = Promise.withResolvers<void>();
  const outlet = {
    gone: false,
    write: (piece: Buffer, last: boolean) => {
      happened.push(`writes ${piece.length / kibibyte} KiB${last ? ", the last" : ""}`);
    },
    ready: () => taken.promise,
  };
  const take = async () => {
    happened.push("takes");
    taken.resolve();
    taken = Promise.withResolvers<void>();
    await turn();
  };
  function* parts(...kibibytes: number[]) {
    for (const [index, size] of kibibytes.entries()) {
      happened.push(`asks for part ${index}`);
      yield Buffer.alloc(size * kibibyte);
    }
  }
  return { happened, outlet, take, parts };
}

test("each is written when the one before was taken, and a part is made as the one before leaves", async () => {
  const { happened, outlet, take, parts } = slowOutlet();
  const written = writeInPieces(parts(33, 1), outlet).then(() => happened.push("done"));
  for (let count = 0; count < 3; count++) await take();
  await written;
  expect(happened).toEqual([
    "asks for part 0",
    "writes 32 KiB",
    "takes",
    "asks for part 1",
    "writes 1 KiB",
    "takes",
    "writes 1 KiB, the last",
    "takes",
    "done",
  ]);
});

test("nothing more is written or made once the other end has gone", async () => {
  const { happened, outlet, take, parts } = slowOutlet();
  const written = writeInPieces(parts(33, 1), outlet);
  outlet.gone = true;
  await take();
  await written;
  expect(happened).toEqual(["asks for part 0", "writes 32 KiB", "takes"]);
});

test("of nothing, nothing is written", async () => {
  const { happened, outlet, parts } = slowOutlet();
  await writeInPieces(parts(), outlet);
  await writeInPieces(parts(0), outlet);
  expect(happened).toEqual(["asks for part 0"]);
});
