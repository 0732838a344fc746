/** What is laid into a folder for a new project, and which folder is left alone. */
import { mkdir, mkdtempDisposable, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createProject, FolderNotEmptyError } from "../../create/src/create-project.ts";

const template = fileURLToPath(new URL("../../create/template", import.meta.url));

async function folder(): Promise<string> {
  const { path, remove } = await mkdtempDisposable(join(tmpdir(), "langwire-create-"));
  onTestFinished(remove);
  return path;
}

const manifestOf = async (project: string): Promise<{ name: string }> =>
  JSON.parse(await readFile(join(project, "package.json"), "utf8"));

test("a project is the template's files, under names that npm does not leave out", async () => {
  const project = join(await folder(), "deep", "app");
  await createProject({ folder: project });
  const built = new Set(["node_modules", "dist", "data"]);
  const expected = (await readdir(template))
    .filter((name) => !built.has(name))
    .map((name) => (name === "gitignore" ? ".gitignore" : name));
  expect((await readdir(project)).toSorted()).toEqual(expected.toSorted());
  const { name: _, ...ours } = await manifestOf(project);
  const { name: __, ...theirs } = await manifestOf(template);
  expect(ours).toEqual(theirs);
  expect(await readFile(join(project, ".gitignore"), "utf8")).toContain("node_modules");
});

test.each([
  ["app", "app"],
  ["My App", "my-app"],
  [".hidden_", "hidden_"],
  ["-._x.-", "x"],
  ["日本", "langwire-app"],
])("in the folder %s it is named %s", async (name, expected) => {
  const project = join(await folder(), name);
  await createProject({ folder: project });
  expect((await manifestOf(project)).name).toBe(expected);
});

test.each<[string, readonly string[], string | undefined]>([
  ["nothing", [], undefined],
  ["a repository that was just made", [".git", ".DS_Store"], undefined],
  ["a file", [".git", "notes.md"], "(notes.md)"],
  ["more than can be named", ["a", "b", "c", "d"], "(a, b, c, …)"],
])("a folder with %s in it", async (_what, names, said) => {
  const project = await folder();
  for (const name of names) {
    if (name === ".git") await mkdir(join(project, name));
    else await writeFile(join(project, name), "mine");
  }
  const making = createProject({ folder: project });
  if (said === undefined) await making;
  else {
    await expect(making).rejects.toThrow(FolderNotEmptyError);
    await expect(making).rejects.toThrow(said);
    expect((await readdir(project)).toSorted()).toEqual([...names].toSorted());
    await createProject({ folder: project, force: true });
  }
  for (const name of names.filter((one) => one !== ".git")) {
    expect(await readFile(join(project, name), "utf8")).toBe("mine");
  }
  expect(await readdir(project)).toContain("bots.ts");
});

test("what to do next begins with the way there, in quotes where a shell needs them", async () => {
  const here = await folder();
  const steps = async (name: string) => {
    const said = await createProject({ folder: join(here, name) });
    return said.split("\n").slice(2, -1);
  };
  const begin = process.cwd();
  process.chdir(here);
  onTestFinished(() => process.chdir(begin));
  expect(await steps("app")).toEqual(["  cd app", "  npm install", "  npm run dev"]);
  expect(await steps("my app")).toEqual(['  cd "my app"', "  npm install", "  npm run dev"]);
  const inside = await folder();
  process.chdir(inside);
  expect((await createProject({ folder: "." })).split("\n").slice(2, -1)).toEqual([
    ...["  npm install", "  npm run dev"],
  ]);
});
