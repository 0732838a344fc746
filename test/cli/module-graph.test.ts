/** Which of a program's files are loaded anew when one has changed: beside a model, and by what is on the disk. */
import { mkdtempDisposable, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ModuleGraph } from "../../src/cli/program/module-graph.ts";

test("a file is loaded anew with all that import it, by whatever way, each once a change", () => {
  let seed = 7;
  const upTo = (count: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * count);
  };
  for (let round = 0; round < 60; round++) {
    const files = ["a", "b", "c", "d", "e"].map((name) => `/nowhere/${name}`);
    const any = () => files[upTo(files.length)] ?? "";
    const graph = new ModuleGraph();
    const imports = new Map<string, Set<string>>();
    for (let times = 0; times < 8; times++) {
      // Circles among them.
      const [importer, file] = [any(), any()];
      graph.add(file, importer);
      imports.set(importer, (imports.get(importer) ?? new Set()).add(file));
    }
    const versions = new Map<string, number>();
    const reaches = (from: string, to: string, seen = new Set<string>()): boolean => {
      if (from === to) return true;
      if (seen.has(from)) return false;
      seen.add(from);
      return [...(imports.get(from) ?? [])].some((file) => reaches(file, to, seen));
    };
    for (let times = 0; times < 4; times++) {
      const changed = [any(), any()];
      const expected = files.filter((file) => changed.some((one) => reaches(file, one)));
      expect([...graph.invalidate(changed)].toSorted()).toEqual(expected);
      for (const file of expected) versions.set(file, (versions.get(file) ?? 0) + 1);
      expect(files.map((file) => graph.version(file))).toEqual(
        files.map((file) => versions.get(file) ?? 0),
      );
    }
  }
});

test("a change is told once: of a text, of one as long, of a file that is made, moved in its place or removed", async () => {
  const { path, remove } = await mkdtempDisposable(join(tmpdir(), "langwire-graph-"));
  onTestFinished(remove);
  const [one, other] = [join(path, "one.ts"), join(path, "other.ts")];
  await writeFile(one, "1");
  const graph = new ModuleGraph();
  for (const file of [one, other]) graph.add(file);
  const told = () => [graph.changed(), graph.changed()];
  expect(told()).toEqual([[], []]);
  await writeFile(one, "12");
  expect(told()).toEqual([[one], []]);
  await utimes(one, 1_000, 1_000);
  expect(told()).toEqual([[one], []]);
  await writeFile(other, "12");
  expect(told()).toEqual([[other], []]);
  // Looked at again for another who imports it: what it was stays.
  await rm(other);
  graph.add(other, one);
  expect(told()).toEqual([[other], []]);
  expect([...graph.files]).toEqual([one, other]);
});
