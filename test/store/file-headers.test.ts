/** What the first bytes of SQLite's files say, read past SQLite. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readWalHeader, schemaVersionsIn } from "../../src/store/sqlite/file-headers.ts";

const pageBytes = 512;

function walOf(frames: readonly Buffer[]) {
  const folder = mkdtempSync(join(tmpdir(), "langwire-wal-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const header = Buffer.alloc(32);
  header.writeUInt32BE(0x377f0682, 0);
  header.writeUInt32BE(pageBytes, 8);
  header.writeUInt32BE(3, 12);
  header.writeUInt32BE(10, 16);
  header.writeUInt32BE(77, 20);
  const path = join(folder, "log");
  writeFileSync(path, Buffer.concat([header, ...frames]));
  return path;
}

/** A frame of the log, with a copy of a page that has a schema version where the first page has one. */
function frame(page: number, schemaVersion: number, salts: readonly [number, number] = [10, 77]) {
  const bytes = Buffer.alloc(24 + pageBytes);
  bytes.writeUInt32BE(page, 0);
  bytes.writeUInt32BE(salts[0], 8);
  bytes.writeUInt32BE(salts[1], 12);
  bytes.writeUInt32BE(schemaVersion, 24 + 40);
  return bytes;
}

test.each<[string, Buffer[], number[]]>([
  ["nothing", [], []],
  ["each copy of the first page", [frame(1, 5), frame(2, 9), frame(1, 6)], [5, 6]],
  ["nothing that an earlier log has left behind it", [frame(1, 5), frame(1, 4, [9, 76])], [5]],
  ["nothing behind that, though it looks like it", [frame(1, 4, [10, 76]), frame(1, 5)], []],
  ["no frame that is cut", [frame(1, 5), frame(1, 6).subarray(0, 60)], [5]],
])("of a log's schema versions it tells %s", (_what, frames, expected) => {
  const path = walOf(frames);
  const header = readWalHeader(path) ?? expect.fail("no log");
  expect(header).toMatchObject({ lineage: 7, pageBytes });
  expect([...schemaVersionsIn(path, header)]).toEqual(expected);
});

test("what is no log, or less than a header, is none", () => {
  const path = walOf([]);
  expect(readWalHeader(`${path}-missing`)).toBeUndefined();
  writeFileSync(path, Buffer.alloc(31, 1));
  expect(readWalHeader(path)).toBeUndefined();
  writeFileSync(path, Buffer.alloc(64));
  expect(readWalHeader(path)).toBeUndefined();
});
