/** `langwire`, and its `types`: out of the sources, in a folder of its own. The packed one: test/packages. */
import { execFile } from "node:child_process";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { types } from "../../src/cli/types/command.ts";
import { SchemaTypes } from "../../src/cli/types/schema-types.ts";
import { WrongUsage } from "../../src/cli/wrong-usage.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const module = join(root, "test/cli/bots-module.ts");
const declared = join(root, "test/cli/declared.d.ts");
const started = 'import { langwire } from "./src/cli/langwire.ts";';
const program = `${started} await langwire(process.argv.slice(1), async () => console.log("started"));`;

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function langwire(...args: string[]): Promise<Answer> {
  const flags = ["--conditions=langwire-source", "--input-type=module", "-e", program, "--"];
  return new Promise((resolve) => {
    execFile(process.execPath, [...flags, ...args], { cwd: root }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

describe("langwire types", () => {
  test("writes a declaration that imports nothing and compiles alone under strict", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-types-"));
    const out = join(folder.path, "bots.d.ts");
    await types([module, "--out", out]);
    const declaration = await readFile(out, "utf8");
    expect(declaration).toBe(await readFile(declared, "utf8"));
    expect(declaration).not.toMatch(/import|require|reference/);
    await writeFile(
      join(folder.path, "use.ts"),
      `import type { Bots } from "./bots.d.ts";
       export const input: Bots["invoice"]["input"] = { file: "a", "odd name": "two", either: null, anything: [1] };
       // @ts-expect-error there is no such currency
       export const wrong: Bots["invoice"]["input"]["currency"] = "USD";`,
    );
    const strict = ["--strict", "--noEmit", "--exactOptionalPropertyTypes", "--ignoreConfig"];
    const how = ["--module", "nodenext", "--allowImportingTsExtensions", "--types", ""];
    const tsc = join(root, "node_modules/.bin/tsc");
    const compiled = new Promise((resolve) => {
      execFile(tsc, [...strict, ...how, "use.ts", "bots.d.ts"], { cwd: folder.path }, (_, stdout) =>
        resolve(stdout),
      );
    });
    expect(await compiled).toBe("");
  });

  test("checks a file for being up to date", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-types-"));
    await types([module, "--out", declared, "--check"]);
    const stale = join(folder.path, "stale.d.ts");
    const check = [module, "--out", stale, "--check"];
    await expect(types(check)).rejects.toThrow("stale.d.ts is not up to date");
    const text = await readFile(declared, "utf8");
    await writeFile(stale, text.replace("file: string", "file: number"));
    await expect(types(check)).rejects.toThrow("stale.d.ts is not up to date");
    expect(await readFile(stale, "utf8")).toContain("file: number");
  });

  test.each<[string, string[], string]>([
    ["no module", [], "Of which module?"],
    ["two modules", ["a.ts", "b.ts"], "types takes one module, and no b.ts"],
    ["an unknown option", ["a.ts", "--outt", "b"], "Unknown option '--outt'"],
    ["a check of nothing", ["a.ts", "--check"], "--check needs --out"],
  ])("refuses %s as wrong usage", async (_what, args, why) => {
    const refused = types(args);
    await expect(refused).rejects.toThrow(why);
    await expect(refused).rejects.toThrow(WrongUsage);
  });

  test.each<[string, string, string]>([
    ["a module that is not there", "none.ts", "none.ts cannot be loaded"],
    ["a module without bots", "src/protocol/limits.ts", "limits.ts exports no bots"],
    ["bots that are none", "scripts/import-rules.ts", "import-rules.ts exports no bots"],
  ])("refuses %s by name", async (_what, file, why) => {
    await expect(types([join(root, file)])).rejects.toThrow(why);
  });
});

describe("langwire", () => {
  test.each<[string[], Partial<Answer>]>([
    [[], { code: 0, stdout: "started\n" }],
    [["start", "fast"], { code: 2, stderr: expect.stringContaining("start takes no fast") }],
    [["begin"], { code: 2, stderr: expect.stringContaining("No such command: begin") }],
    [["--version"], { code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/) }],
    [["types", "--help"], { code: 0, stdout: expect.stringContaining("Usage: langwire types") }],
    [
      ["admin", "list", "all"],
      { code: 2, stderr: expect.stringContaining("Usage: langwire admin") },
    ],
  ])("%j", async (args, answer) => {
    expect(await langwire(...args)).toMatchObject(answer);
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
