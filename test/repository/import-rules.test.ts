/**
 * scripts/import-rules.ts says what is true: of the folders that there are, of ARCHITECTURE.md, of what
 * the sources import, and of what the linter refuses.
 */
import { spawn } from "node:child_process";
import {
  access,
  copyFile,
  mkdir,
  mkdtempDisposable,
  readdir,
  readFile,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path/posix";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type ImportRule, importRules } from "../../scripts/import-rules.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const paths = importRules.map(({ path }) => path);

interface Source {
  readonly path: string;
  readonly text: string;
}

async function sources(): Promise<Source[]> {
  const all = await Promise.all(
    ["src", "client/src"].map(async (folder) => {
      const names = await readdir(join(root, folder), { recursive: true });
      return names.filter((name) => /\.tsx?$/.test(name)).map((name) => join(folder, name));
    }),
  );
  return Promise.all(
    all.flat().map(async (path) => ({ path, text: await readFile(join(root, path), "utf8") })),
  );
}

/** The folder or file of the list to which a path belongs. */
function ruleOf(path: string): ImportRule | undefined {
  return importRules.find((rule) => path === rule.path || path.startsWith(`${rule.path}/`));
}

const importing =
  /(?:^(?:import|export)\b[^;"'`]*?\bfrom\s*|^import\s*|\bimport\s*\(\s*)["']([^"'\n]+)["']/gm;

function importsOf({ text }: Source): string[] {
  return [...text.matchAll(importing)].map(([, specifier = ""]) => specifier);
}

function mayImport(rule: ImportRule, from: string, specifier: string): boolean {
  if (!specifier.startsWith(".")) return rule.packages.some((name) => covers(name, specifier));
  const path = join(dirname(from), specifier);
  return [rule.path, ...rule.ours].some((ours) => path === ours || path.startsWith(`${ours}/`));
}

function covers(name: string, specifier: string): boolean {
  if (name.endsWith("*")) return specifier.startsWith(name.slice(0, -1));
  return specifier === name || specifier.startsWith(`${name}/`);
}

/** `<file> → <what it imports>`, for each import that the list does not allow. */
function broken(files: readonly Source[]): string[] {
  return files.flatMap((file) => {
    const rule = ruleOf(file.path);
    if (rule === undefined) return [`${file.path} is in no folder of the list`];
    return importsOf(file)
      .filter((specifier) => !mayImport(rule, file.path, specifier))
      .map((specifier) => `${file.path} → ${specifier}`);
  });
}

/** Lints files in a folder of their own. @returns the specifiers that were refused, by file */
async function refusedByLinter(files: readonly Source[]): Promise<Map<string, string[]>> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "import-rules-"));
  await copyFile(join(root, "biome.json"), join(folder.path, "biome.json"));
  for (const { path, text } of files) {
    await mkdir(join(folder.path, dirname(path)), { recursive: true });
    await writeFile(join(folder.path, path), text);
  }
  const options = ["--vcs-enabled=false", "--reporter=github", "--max-diagnostics=none"];
  const biome = spawn("biome", ["lint", ...options, "."], {
    cwd: folder.path,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const refused = new Map(files.map(({ path }) => [path, [] as string[]]));
  const lines = new Map(files.map(({ path, text }) => [path, text.split("\n")]));
  const found = (await text(biome.stdout)).matchAll(/noRestrictedImports,file=([^,]+),line=(\d+)/g);
  for (const [, file = "", line] of found) {
    const path = relative(folder.path, file);
    const source = lines.get(path)?.[Number(line) - 1] ?? "";
    refused.get(path)?.push(/"(.*)"/.exec(source)?.[1] ?? source);
  }
  return refused;
}

test("every folder of src is in the list, and nothing else is", async () => {
  const entries = await readdir(join(root, "src"));
  const listed = paths.filter((path) => path.startsWith("src/"));
  expect(listed.toSorted()).toEqual(entries.map((name) => `src/${name}`).toSorted());
});

test("each imports only from those above it", () => {
  for (const [index, { path, ours }] of importRules.entries()) {
    const above = new Set([...paths.slice(0, index), "client/generated"]);
    expect(
      ours.filter((other) => !above.has(other)),
      path,
    ).toEqual([]);
  }
});

test("ARCHITECTURE.md's table has the same folders, in the same order, with the same imports", async () => {
  const document = await readFile(join(root, "ARCHITECTURE.md"), "utf8");
  const rows = [...document.matchAll(/^\| `((?:src|client)\/[^`]*)` \|[^|]*\|([^|]*)\|$/gm)];
  const table = rows.map(([, path, ours = ""]) => ({ path, ours: ours.trim() }));
  const short = (path: string) => path.replace(/^src\//, "");
  expect(table).toEqual(
    importRules.map(({ path, ours }) => ({ path, ours: ours.map(short).join(", ") || "—" })),
  );
});

test("every file that ARCHITECTURE.md names is there", async () => {
  const document = await readFile(join(root, "ARCHITECTURE.md"), "utf8");
  const named = [...document.matchAll(/`([\w./-]+\/[\w.-]+\.ts)`/g)].map(([, path = ""]) => path);
  const found = await Promise.all(
    named.map((path) =>
      Promise.any(["", "src"].map((from) => access(join(root, from, path)))).then(
        () => true,
        () => false,
      ),
    ),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((_, index) => !found[index])).toEqual([]);
});

test("no import breaks the list", async () => {
  expect(broken(await sources())).toEqual([]);
});

describe("an import that breaks the list", () => {
  test.each([
    ["src/runs/cluster/planted.ts", "../../redis/redis.ts"],
    ["src/runs/planted.ts", "../log/../redis/redis.ts"],
    ["src/server/planted.ts", "@langchain/core/messages"],
    ["src/event-fetch/planted.ts", "../protocol/errors.ts"],
    ["src/protocol/planted.ts", "node:crypto"],
    ["src/api/planted.ts", "../server/app.ts"],
    ["client/src/planted.ts", "../../src/protocol/events.ts"],
    ["src/store/planted.ts", "../../client/src/index.ts"],
  ])("is found in %s", (path, specifier) => {
    const planted = { path, text: `import type { Planted } from "${specifier}";` };
    expect(broken([planted])).toEqual([`${path} → ${specifier}`]);
  });

  test("is found in a folder that nobody has listed", () => {
    expect(broken([{ path: "src/planted/planted.ts", text: "" }])).toHaveLength(1);
  });

  test("is refused by the linter, and no other is", async () => {
    const specifiersFor = ({ path }: ImportRule) => {
      const up = path.endsWith(".ts") ? "." : path.startsWith("src/") ? ".." : "../../src";
      const ours = paths
        .filter((other) => other.startsWith("src/") && other !== path)
        .map((other) => other.slice("src/".length))
        .map((name) => `${up}/${name.endsWith(".ts") ? name : `${name}/planted.ts`}`);
      const neighbour = path.endsWith(".ts") ? [] : ["./planted-too.ts"];
      return [...ours, ...packages, ...neighbour];
    };
    const packages = [
      ...["node:fs", "node:fs/promises", "zod", "zod/v4", "redis", "pg", "kysely", "fastify"],
      ...["@langchain/core/messages", "langchain", "@trpc/server", "undici", "no-such-package"],
    ];
    const planted = importRules.map((rule) => {
      const path = rule.path.endsWith(".ts") ? rule.path : `${rule.path}/planted.ts`;
      const specifiers = specifiersFor(rule);
      const text = specifiers.map((specifier) => `import "${specifier}";\n`).join("");
      return { path, text };
    });
    const expected = planted.map((file) => {
      const refused = broken([file]).map((line) => line.split(" → ")[1]);
      return [file.path, refused.toSorted()] as const;
    });
    for (const [path, refused] of expected) expect(refused.length, path).toBeGreaterThan(0);
    const refused = [...(await refusedByLinter(planted))];
    expect(refused.map(([path, specifiers]) => [path, specifiers.toSorted()])).toEqual(expected);
  });
});
