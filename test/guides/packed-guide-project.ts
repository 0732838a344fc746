/** The same folder with every package in it as npm would put it there: bundlers follow no link out of a project. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, mkdir, readdir, readlink, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { root } from "../docs/samples.ts";
import { openPackedProject } from "../packages/packed.ts";
import { type GuideProject, writeInto } from "./guide-project.ts";

const run = promisify(execFile);

/** What readers of guides that bundle have installed beside Langwire. */
const also = [
  ...[
    "react",
    "react-dom",
    "scheduler",
    "typescript",
    "@types/react",
    "@types/react-dom",
    "csstype",
  ],
];

export async function openPackedGuideProject(): Promise<GuideProject> {
  const packed = await openPackedProject({ also });
  const { folder } = packed;
  const modules = join(folder, "node_modules");
  const copied = new Map<string, string[]>();
  const add = (name: string, from: string): void => {
    const folderOf = dirname(join(modules, name));
    copied.set(folderOf, [...(copied.get(folderOf) ?? []), from]);
  };
  const there = await packagesIn(modules);
  for (const name of there) {
    const place = join(modules, name);
    if (!(await lstat(place)).isSymbolicLink()) continue;
    add(name, await readlink(place));
    await rm(place);
  }
  const own = join(root, "test/guides/node_modules");
  for (const name of await packagesIn(own)) if (!there.includes(name)) add(name, join(own, name));
  for (const [target, sources] of copied) await copy(sources, target);
  await symlink(join(modules, "next/dist/bin/next"), join(modules, ".bin/next"));
  return {
    folder,
    write: (path, text) => writeInto(folder, path, text),
    install: async (name) => {
      if (!existsSync(join(modules, name))) throw new Error(`${name} is installed for no test`);
    },
    [Symbol.asyncDispose]: () => packed[Symbol.asyncDispose](),
  };
}

/** Their names, with those in scopes. */
async function packagesIn(modules: string): Promise<string[]> {
  const names = (await readdir(modules)).filter((name) => !name.startsWith("."));
  const all = names.map(async (name) =>
    name.startsWith("@")
      ? (await readdir(join(modules, name))).map((inner) => `${name}/${inner}`)
      : [name],
  );
  return (await Promise.all(all)).flat();
}

/** As hard links, which cost next to nothing, where both are on one file system. */
async function copy(sources: readonly string[], target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await run("cp", ["-al", ...sources, target]).catch(() =>
    run("cp", ["-a", "--remove-destination", ...sources, target]),
  );
}
