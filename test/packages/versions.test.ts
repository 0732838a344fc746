/** What the packages say of versions: each other's, the changelog's, and those that a new project begins with. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { problemsOf } from "../../scripts/check-release.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly scripts: Record<string, string>;
  readonly engines: { readonly node: string };
  readonly dependencies: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");
const manifest = async (folder: string): Promise<Manifest> =>
  JSON.parse(await read(`${folder}/package.json`));

const [server, client, create, page, template] = await Promise.all(
  [".", "client", "create", "client/page", "create/template"].map(manifest),
).then((all) => all as [Manifest, Manifest, Manifest, Manifest, Manifest]);

test("the packages have one version, and need each other in it", () => {
  expect([client.version, create.version]).toEqual([server.version, server.version]);
  expect(server.dependencies).toMatchObject({
    [client.name]: server.version,
    [create.name]: server.version,
  });
});

test("the changelog has a heading for the version", async () => {
  const problems = problemsOf({ changelog: await read("CHANGELOG.md"), ...server });
  expect(problems.filter((problem) => problem.includes("no heading"))).toEqual([]);
});

test("what is not ready to be published says why", () => {
  const ready = { version: "1.2.0", repository: "github:somebody/something" };
  const changelog = "# Changelog\n\n## 1.3.0 — unreleased\n\n## 1.2.0 — 2026-12-01\n\n## 1.1.0\n";
  expect(problemsOf({ ...ready, changelog })).toEqual([]);
  expect(problemsOf({ changelog, version: "1.3.0" })).toEqual([
    'CHANGELOG.md has no date for 1.3.0: "## 1.3.0 — unreleased".',
    "package.json names no repository, which provenance is checked against.",
  ]);
  expect(problemsOf({ ...ready, changelog, version: "1.2" })).toEqual([
    "CHANGELOG.md has no heading for 1.2.",
  ]);
});

test.each([server, client, create])(
  "$name is published with provenance, and checked before",
  (it) => {
    expect(it).toMatchObject({ publishConfig: { provenance: true } });
    expect(it.scripts.prepublishOnly).toMatch(/^node (\.\.\/)?scripts\/check-release\.ts \.$/);
  },
);

test("a new project begins with what is tested here", () => {
  const own = {
    ...page.devDependencies,
    ...server.devDependencies,
    ...server.dependencies,
    [server.name]: `^${server.version}`,
    [client.name]: `^${server.version}`,
  };
  const wanted = { ...template.dependencies, ...template.devDependencies };
  // Those that are pinned here are not pinned there.
  const here = Object.keys(wanted).map((name) => [name, own[name]?.replace(/^(?=\d)/, "^")]);
  expect(wanted).toEqual(Object.fromEntries(here));
  expect(template.engines).toEqual(server.engines);
});

test.each(["README.md", "README.ja.md", "docs/start.md", "docs/start.ja.md", "docs/deployment.md"])(
  "%s speaks of the Node.js that is needed",
  async (document) => {
    const needed = server.engines.node.replace(">=", "");
    const named = [...(await read(document)).matchAll(/Node\.js (\d[\d.]*\d)/g)].map(
      ([, it]) => it,
    );
    expect([...new Set(named)]).toEqual([needed]);
  },
);
