/** Which files a program's import may mean, the likeliest first. */
import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { ImportResolver, TsconfigError } from "../../src/cli/program/resolve-import.ts";

const likeliest = (specifier: string, importer: string) =>
  new ImportResolver().candidates(specifier, importer).slice(0, 3);

test.each([
  // TypeScript looks for its own files first …
  ["./a.js", "/app/b.ts", ["/app/a.ts", "/app/a.tsx", "/app/a.js"]],
  ["../a.mjs", "/app/lib/b.mts", ["/app/a.mts", "/app/a.mjs", "/app/a.mjs.ts"]],
  ["./a.cjs", "/app/b.cts", ["/app/a.cts", "/app/a.cjs", "/app/a.cjs.ts"]],
  // … and JavaScript has the file that it names, if there is one.
  ["./a.js", "/app/b.js", ["/app/a.js", "/app/a.ts", "/app/a.tsx"]],
  ["./a", "/app/b.js", ["/app/a", "/app/a.ts", "/app/a.mts"]],
  ["./a b?x=1#y", "/app/b.ts", ["/app/a b", "/app/a b.ts", "/app/a b.mts"]],
  ["./a%20b.js", "/app/b.js", ["/app/a b.js", "/app/a b.ts", "/app/a b.tsx"]],
  [pathToFileURL("/lib/a b.js").href, "/app/b.js", ["/lib/a b.js", "/lib/a b.ts", "/lib/a b.tsx"]],
  ["zod", "/nowhere/b.ts", []],
])("%s in %s", (specifier, importer, files) => {
  expect(likeliest(specifier, importer)).toEqual(files);
});

test("a folder is its index, whatever that is written in", () => {
  const files = new ImportResolver().candidates("./lib", "/app/b.ts");
  expect(files).toContain("/app/lib/index.ts");
  expect(files).toContain("/app/lib/index.js");
  expect(files.indexOf("/app/lib.ts")).toBeLessThan(files.indexOf("/app/lib/index.ts"));
});

test("a tsconfig.json that cannot be used is named, and read again once it is put right", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-tsconfig-"));
  const tsconfig = join(folder.path, "tsconfig.json");
  const importer = join(folder.path, "src/bots.ts");
  await mkdir(join(folder.path, "src"));
  const write = (config: object) => writeFile(tsconfig, JSON.stringify(config));
  const resolver = new ImportResolver();
  const asked = () => resolver.candidates("@/tone", importer)[0];
  await write({ extends: "@company/tsconfig/strict.json" });
  expect(asked).toThrow(TsconfigError);
  expect(asked).toThrow(/is not installed: npm install --save-dev @company\/tsconfig$/);
  await write({ extends: "./base.json" });
  expect(asked).toThrow(`${tsconfig} extends "./base.json", which is not there`);
  await write({ compilerOptions: { paths: { "@/*": ["./lib/*"] } } });
  expect(asked()).toBe(join(folder.path, "lib/tone"));
});
