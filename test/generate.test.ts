import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asyncApiProblems } from "../scripts/generate/asyncapi-problems.ts";
import { generateFiles, staleFiles, strayFiles } from "../scripts/generate/files.ts";
import { assertAlone } from "../scripts/generate/fold.ts";
import { assertSelfContained } from "../scripts/generate/router-types.ts";
import { errorCodes } from "../src/protocol/errors.ts";
import { eventTypes } from "../src/protocol/events.ts";

const generated = new URL("../client/generated/", import.meta.url);
let files: Map<string, string>;
let folder: string;

beforeAll(async () => {
  files = await generateFiles();
  folder = await mkdtemp(join(tmpdir(), "generated-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("what is in the repository is what the generator writes", async () => {
  expect(await staleFiles(files, generated)).toEqual([]);
  expect(await strayFiles(files, generated)).toEqual([]);
});

test("the same comes out every time", async () => {
  expect(await generateFiles()).toEqual(files);
});

test("a file that is missing or was changed is stale, and one that nobody makes any more is stray", async () => {
  const inFolder = pathToFileURL(`${folder}/`);
  await mkdir(join(folder, "fold/parts"), { recursive: true });
  for (const [name, text] of files) await writeFile(join(folder, name), text);
  expect(await staleFiles(files, inFolder)).toEqual([]);
  await writeFile(join(folder, "router.d.ts"), `${files.get("router.d.ts")} `);
  await writeFile(join(folder, "fold/run-fold.js"), `${files.get("fold/run-fold.js")} `);
  await rm(join(folder, "asyncapi.json"));
  await rm(join(folder, "fold/of-parts.d.ts"));
  await writeFile(join(folder, "fold/old.js"), "");
  expect((await staleFiles(files, inFolder)).sort()).toEqual([
    "asyncapi.json",
    "fold/of-parts.d.ts",
    "fold/run-fold.js",
    "router.d.ts",
  ]);
  expect(await strayFiles(files, inFolder)).toEqual(["fold/old.js"]);
});

describe("the fold for clients", () => {
  test("runs with nothing around it", () => {
    const code = [...files].filter(([name]) => name.endsWith(".js"));
    expect(code.map(([name]) => name)).toContain("fold/run-fold.js");
    for (const [, text] of code) expect(text).not.toMatch(/\bfrom "(?!\.\.?\/[a-z/-]+\.js")/);
  });

  test.each([
    ["code of the protocol", 'import { usage } from "../events.js";', "a.js"],
    ["code of the client's", 'import { a } from "../../a.js";', "parts/a.js"],
    ["a package", 'import { z } from "zod";', "a.js"],
    ["a package's types", 'import type { z } from "zod";', "a.d.ts"],
    ["the server", 'export type A = import("../../runs/runs.ts").Runs;', "a.d.ts"],
  ])("is refused with %s in it", (_what, source, name) => {
    expect(() => assertAlone(source, name)).toThrow(/imports/);
  });
});

describe("router.d.ts", () => {
  test("mentions no package but @trpc/server", () => {
    const declaration = files.get("router.d.ts") ?? "";
    const mentioned = [...declaration.matchAll(/\b(?:import\(|from |require\()["']([^"']+)/g)];
    expect(new Set(mentioned.map(([, specifier]) => specifier?.split("/", 2).join("/")))).toEqual(
      new Set(["@trpc/server"]),
    );
  });

  test.each([
    ["another package", 'type A = import("zod").ZodType;', /zod/],
    ["a file of the server's", "import type { B } from '../src/store.ts';", /store\.ts/],
    ["a package that only begins alike", 'type C = import("@trpc/server-2").D;', /server-2/],
    ["an any", "type E = { f: any };", /any/],
  ])("could not mention %s", (_what, declaration, complaint) => {
    expect(() => assertSelfContained(declaration)).toThrow(complaint);
  });
});

describe("schemas.json", () => {
  interface Schemas {
    procedures: Record<string, { input?: { $ref: string }; output: { $ref: string } }>;
    errors: Record<string, unknown>;
    $defs: Record<string, unknown>;
  }
  const schemas = () => JSON.parse(files.get("schemas.json") ?? "") as Schemas;

  test("has every event and every error code", () => {
    expect(Object.keys(schemas().$defs)).toEqual(expect.arrayContaining(eventTypes));
    expect(Object.keys(schemas().errors)).toEqual(errorCodes);
  });

  test("has a definition for everything that is referred to", () => {
    const { $defs } = schemas();
    const refs = [...(files.get("schemas.json") ?? "").matchAll(/"\$ref": "#\/\$defs\/([^"]+)"/g)];
    expect(refs.length).toBeGreaterThan(40);
    for (const [, name = ""] of refs) expect($defs).toHaveProperty(name);
  });
});

describe("asyncapi.json", () => {
  test("is what the official parser calls valid", async () => {
    expect(await asyncApiProblems(files.get("asyncapi.json") ?? "")).toEqual([]);
  });

  test("would not be called valid with a reference to nowhere", async () => {
    const broken = (files.get("asyncapi.json") ?? "").replaceAll(
      "/schemas/chatEvent",
      "/schemas/x",
    );
    expect(await asyncApiProblems(broken)).not.toEqual([]);
  });
});
