/** What of a program's folders is noticed: whatever becomes of them. On the disk itself. */
import { mkdir, mkdtempDisposable, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { FileWatch } from "../../src/cli/dev/file-watch.ts";

/** A watch of files, and how to wait until it has told of what is in one of them. */
async function setUp(...names: string[]) {
  const { path, remove } = await mkdtempDisposable(join(tmpdir(), "langwire-watch-"));
  onTestFinished(remove);
  const files = names.map((name) => join(path, name));
  let told = Promise.withResolvers<void>();
  const watch = new FileWatch(() => {
    told.resolve();
    told = Promise.withResolvers();
  });
  onTestFinished(() => watch[Symbol.dispose]());
  const write = async (file: string, text: string) => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  };
  /** Settles once somebody who looks when it tells finds the text; `undefined` is no file. */
  const noticed = async (file: string, text: string | undefined) => {
    do await told.promise;
    while ((await readFile(file, "utf8").catch(() => undefined)) !== text);
  };
  /** Twice: what is told late of a change before counts for the first. */
  const isWatched = async (file: string) => {
    for (const text of ["1", "22"]) {
      const found = noticed(file, text);
      await write(file, text);
      await found;
    }
  };
  const [first = "", second = ""] = files;
  return { path, files, first, second, watch, write, noticed, isWatched };
}

describe("a change is noticed", () => {
  test("of each file, of one that an editor puts in its place, and of one that goes", async () => {
    const { files, first, path, watch, write, noticed, isWatched } = await setUp(
      "a.ts",
      "b/c.ts",
      "b/d.ts",
    );
    for (const file of files) await write(file, "");
    watch.add(files);
    for (const file of files) await isWatched(file);
    const replaced = noticed(first, "new");
    await write(join(path, ".a.ts.swp"), "new");
    await rename(join(path, ".a.ts.swp"), first);
    await replaced;
    await isWatched(first);
    const gone = noticed(first, undefined);
    await rm(first);
    await gone;
    await isWatched(first);
  });

  test("in a folder that is made later, and in what it is made in", async () => {
    const { first, second, watch, isWatched } = await setUp("a/b/c.ts", "a/d.ts");
    watch.add([first, second]);
    await isWatched(first);
    await isWatched(second);
  });

  test("in a folder that is another one, as after a change of branches", async () => {
    const { first, path, watch, write, noticed, isWatched } = await setUp("a/b.ts");
    await write(first, "");
    watch.add([first]);
    await isWatched(first);
    const gone = noticed(first, undefined);
    await rm(join(path, "a"), { recursive: true });
    await gone;
    await isWatched(first);
    const other = noticed(first, "other");
    await write(join(path, "next/b.ts"), "other");
    await rename(join(path, "a"), join(path, "before"));
    await rename(join(path, "next"), join(path, "a"));
    await other;
    await isWatched(first);
  });
});

test("a watch that is over tells nothing, and keeps nothing", async () => {
  const { first, watch, write } = await setUp("a.ts");
  await write(first, "");
  const told: string[] = [];
  const over = new FileWatch(() => told.push("over"));
  const still = Promise.withResolvers<void>();
  using _still = new FileWatch(() => still.resolve());
  for (const one of [over, _still]) one.add([first]);
  over[Symbol.dispose]();
  watch[Symbol.dispose]();
  await write(first, "1");
  await still.promise;
  expect(told).toEqual([]);
});
