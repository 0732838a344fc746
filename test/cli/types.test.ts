/** `langwire types`, out of the sources. The packed one: test/packages. */
import { execFile } from "node:child_process";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { SchemaTypes } from "../../src/cli/types/schema-types.ts";
import { runLangwire } from "./run-langwire.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const module = join(root, "test/cli/bots-module.ts");
const declared = join(root, "test/cli/declared.d.ts");
const types = (...args: string[]) => runLangwire(["types", ...args]);

describe("langwire types", () => {
  test("writes a declaration that imports nothing and compiles alone under strict", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-types-"));
    // Into folders that are not there yet.
    const out = join(folder.path, "src/generated/bots.d.ts");
    expect(await types(module, "--out", out)).toMatchObject({ code: 0, stderr: "" });
    const declaration = await readFile(out, "utf8");
    expect(declaration).toBe(await readFile(declared, "utf8"));
    expect(declaration).not.toMatch(/import|require|reference/);
    await writeFile(
      join(dirname(out), "use.ts"),
      `import type { Bots } from "./bots.d.ts";
       export const input: Bots["invoice"]["input"] = { file: "a", "odd name": "two", either: null, anything: [1] };
       // @ts-expect-error there is no such currency
       export const wrong: Bots["invoice"]["input"]["currency"] = "USD";`,
    );
    const strict = ["--strict", "--noEmit", "--exactOptionalPropertyTypes", "--ignoreConfig"];
    const how = ["--module", "nodenext", "--allowImportingTsExtensions", "--types", ""];
    const tsc = join(root, "node_modules/.bin/tsc");
    const compiled = new Promise((resolve) => {
      execFile(
        tsc,
        [...strict, ...how, "use.ts", "bots.d.ts"],
        { cwd: dirname(out) },
        (_, stdout) => resolve(stdout),
      );
    });
    expect(await compiled).toBe("");
  });

  test("checks a file for being up to date", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-types-"));
    const stale = join(folder.path, "stale.d.ts");
    const check = [module, "--out", stale, "--check"] as const;
    const notUpToDate = {
      code: 1,
      stderr: expect.stringContaining("stale.d.ts is not up to date"),
    };
    expect(await types(...check)).toMatchObject(notUpToDate);
    const text = await readFile(declared, "utf8");
    await writeFile(stale, text);
    expect(await types(...check)).toEqual({ code: 0, stdout: "", stderr: "" });
    await writeFile(stale, text.replace("file: string", "file: number"));
    expect(await types(...check)).toMatchObject(notUpToDate);
    expect(await readFile(stale, "utf8")).toContain("file: number");
  });

  test("says in a line which file cannot be written", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-types-"));
    const { code, stderr } = await types(module, "--out", folder.path);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^.+ cannot be written: EISDIR.+\n$/);
  });

  test.each<[string, string[], string]>([
    ["no module", [], "missing required argument 'file'"],
    ["two modules", ["a.ts", "b.ts"], "too many arguments for 'types'"],
    ["an unknown option", ["a.ts", "--outt", "b"], "unknown option '--outt'"],
    ["a check of nothing", ["a.ts", "--check"], "--check needs --out"],
  ])("refuses %s as wrong usage", async (_what, args, why) => {
    expect(await types(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(why) });
  });

  test.each<[string, string, string]>([
    ["a module that is not there", "none.ts", "none.ts is not there"],
    ["a module without bots", "scripts/import-rules.ts", "import-rules.ts exports no bots"],
  ])("refuses %s by name", async (_what, file, why) => {
    const refused = { code: 1, stderr: expect.stringContaining(why) };
    expect(await types(join(root, file))).toMatchObject(refused);
  });
});

test.each<[object | boolean, string]>([
  [true, "unknown"],
  [{}, "unknown"],
  [false, "never"],
  [{ type: ["string", "null"] }, "string | null"],
  [{ type: "array" }, "Array<unknown>"],
  [
    { type: "array", prefixItems: [{ type: "string" }], items: { type: "number" } },
    "[string, ...Array<number>]",
  ],
  [{ allOf: [{ type: "string" }, { enum: ["a", "b"] }] }, 'string & ("a" | "b")'],
  [{ type: "string", const: "a" }, '"a"'],
  [{ enum: [] }, "never"],
  [{ $ref: "elsewhere.json" }, "unknown"],
  [{ $ref: "#/$defs/none" }, "unknown"],
  [{ anyOf: [{ type: "string" }, {}] }, "unknown"],
  [{ type: "object", additionalProperties: { type: "number" } }, "{\n  [key: string]: number;\n}"],
  [{ not: { type: "string" } }, "unknown"],
])("%j is a type", (schema, type) => {
  expect(new SchemaTypes().print(schema as never, "Root")).toBe(type);
});
