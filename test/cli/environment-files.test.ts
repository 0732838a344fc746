/** Settings out of files: beside a model of which one counts, while files and the environment are what they are. */
import { mkdtempDisposable, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { EnvironmentFiles } from "../../src/cli/program/environment-files.ts";
import { ProgramError } from "../../src/serve/program.ts";

type Values = Record<string, string>;

const names = ["A", "B", "C"];

test("the environment's own come first, then the first source that has a name, anew each time", async () => {
  const { path, remove } = await mkdtempDisposable(join(tmpdir(), "langwire-env-"));
  onTestFinished(remove);
  let seed = 1;
  const upTo = (count: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * count);
  };
  const some = (of: string): Values =>
    Object.fromEntries(names.filter(() => upTo(2) === 0).map((name) => [name, `${of} ${upTo(9)}`]));
  for (let round = 0; round < 20; round++) {
    const given = upTo(3) === 0 ? some("given") : {};
    const environment: NodeJS.ProcessEnv = { ...given };
    const files = new EnvironmentFiles(environment);
    for (let time = 0; time < 5; time++) {
      const [first, second] = [some("first"), some("second")];
      const isMissing = upTo(4) === 0;
      const file = join(path, ".env");
      const text = Object.entries(first).map(([name, value]) => `${name}="${value}"\n`);
      if (isMissing) await rm(file, { force: true });
      else await writeFile(file, text.join(""));
      expect(files.apply([file, second])).toEqual(isMissing ? [file] : []);
      const expected = { ...second, ...(isMissing ? {} : first), ...given };
      expect([round, time, environment]).toEqual([round, time, expected]);
    }
  }
});

test("a file that cannot be read is named, and changes nothing", async () => {
  const environment: NodeJS.ProcessEnv = { A: "1" };
  const files = new EnvironmentFiles(environment);
  files.apply([{ B: "2" }]);
  expect(() => files.apply([{ B: "3" }, tmpdir()])).toThrow(ProgramError);
  expect(() => files.apply([tmpdir()])).toThrow(`${tmpdir()} cannot be read: `);
  expect(environment).toEqual({ A: "1", B: "2" });
});
