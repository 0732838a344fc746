/** What the packages say of versions: each other's, the changelog's, and those that a new project begins with. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

interface Manifest {
  readonly name: string;
  readonly version: string;
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
  const headings = [...(await read("CHANGELOG.md")).matchAll(/^## (\S+)/gm)].map(([, it]) => it);
  expect(headings).toContain(server.version);
});

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
