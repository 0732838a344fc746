/** What is large is deleted in pieces, since SQLite keeps the thread while it writes over what is deleted. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { paged } from "../../src/store/queries/administration/paged.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Ending, NewRun } from "../../src/store/store.ts";
import { exchange } from "./store-place.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "langwire-store-"));
  path = join(directory, "langwire.sqlite");
});

afterEach(() => rm(directory, { recursive: true }));

test("a long list is read in pages, with a turn of the loop for others behind each", async () => {
  let turns = 0;
  let isOver = false;
  const others = (async () => {
    for (; !isOver; turns++) await setImmediate();
  })();
  const read = async (count: number) => {
    const asked: (number | undefined)[] = [];
    const turnsAtPage: number[] = [];
    const all = paged(3, async (last: number | undefined) => {
      asked.push(last);
      turnsAtPage.push(turns);
      const from = last === undefined ? 0 : last + 1;
      return Array.from({ length: Math.min(3, count - from) }, (_, index) => from + index);
    });
    const items: number[] = [];
    for await (const item of all) items.push(item);
    expect(items).toEqual(Array.from({ length: count }, (_, index) => index));
    // No two pages in one turn.
    expect(new Set(turnsAtPage).size).toBe(asked.length);
    return asked;
  };
  expect(await read(0)).toEqual([undefined]);
  expect(await read(2)).toEqual([undefined]);
  expect(await read(3)).toEqual([undefined, 2]);
  expect(await read(8)).toEqual([undefined, 2, 5]);
  isOver = true;
  await others;
});

test("a large conversation is deleted in pieces, with turns of the loop for others between", async () => {
  await using store = await openSqliteStore({ path });
  const { database } = store;
  const conversationId = randomUUID();
  const large = 400_000;
  const sizes = [...Array(120).fill(10), ...Array(8).fill(large), 3_000_000, 10];
  for (const [index, size] of sizes.entries()) {
    // In each of the places in turn.
    const long = "x".repeat(size);
    const said: [Partial<NewRun>, Partial<Ending>][] = [
      [{ message: long }, { text: "short" }],
      [{}, { modelMessages: long }],
      [{}, archiveOf(size)],
    ];
    const [given, ending] = said[index % said.length] ?? [];
    await exchange(store, { ...given, conversationId }, ending);
  }
  await store.conversations.delete(conversationId, "alice");
  const runs = database.prepare("select run_id from runs");
  const pieces = await piecesOf(store.deletions.finish(conversationId), () => runs.all().length);
  expect(pieces.reduce((sum, piece) => sum + piece, 0)).toBe(sizes.length);
  inPieces(sizes, pieces);
});

test("so are the events of what came after a message that is erased", async () => {
  await using store = await openSqliteStore({ path });
  const { database } = store;
  const { runId, conversationId } = await exchange(store);
  const sizes = [...Array(120).fill(10), ...Array(8).fill(400_000), 3_000_000];
  const others = await exchange(store, {}, archiveOf(10));
  for (const size of sizes) await exchange(store, { conversationId }, archiveOf(size));
  const archives = database.prepare("select run_id from run_archives");
  const redacting = store.administration.redact(runId);
  const pieces = await piecesOf(redacting, () => archives.all().length);
  inPieces(sizes, pieces);
  expect(new Set(await redacting).size).toBe(sizes.length + 1);
  expect(archives.all()).toEqual([{ run_id: others.runId }]);
});

function archiveOf(size: number): Partial<Ending> {
  return { archive: { events: Buffer.alloc(size, "x"), rawBytes: size } };
}

/** How many rows fewer there are after each turn of the loop in which there are fewer. */
async function piecesOf(work: Promise<unknown>, rows: () => number): Promise<number[]> {
  let working = true;
  const over = work.finally(() => {
    working = false;
  });
  const pieces: number[] = [];
  for (let before = rows(); working; ) {
    await setImmediate();
    const now = rows();
    if (now < before) pieces.push(before - now);
    before = now;
  }
  await over;
  return pieces;
}

/** @param pieces how many of them each was, of the first on, as far as others had a turn */
function inPieces(sizes: readonly number[], pieces: readonly number[]): void {
  expect(pieces.length).toBeGreaterThan(6);
  let end = sizes.length - pieces.reduce((sum, piece) => sum + piece, 0);
  for (const piece of pieces) {
    const begin = end;
    end += piece;
    const bytes = sizes.slice(begin, end).reduce((sum, size) => sum + size, 0);
    expect(piece).toBeLessThanOrEqual(50);
    expect(piece === 1 || bytes <= 1024 * 1024, `${piece} of ${bytes} bytes`).toBe(true);
  }
}
