/** Makes a project out of the template: for `npm create langwire`, and for `langwire init`. */
import { cp, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const template = fileURLToPath(new URL("../template", import.meta.url));
/** npm leaves a .gitignore out of what it packs. */
const renamed = { gitignore: ".gitignore" } as const;
/** What may be in a folder that counts as empty: a repository that was just made. */
const unobtrusive: ReadonlySet<string> = new Set([".git", ".DS_Store"]);

export interface ProjectOptions {
  /** Made when it is not there. */
  readonly folder: string;
  /** Writes into a folder that is not empty; files of other names stay. Default: false. */
  readonly force?: boolean | undefined;
}

export class FolderNotEmptyError extends Error {
  override readonly name = "FolderNotEmptyError";
}

/**
 * @returns what to do next, for whoever made it
 * @throws FolderNotEmptyError, with the names of what is in the way
 */
export async function createProject({ folder, force = false }: ProjectOptions): Promise<string> {
  const target = resolve(folder);
  await mkdir(target, { recursive: true });
  const inTheWay = (await readdir(target)).filter((name) => !unobtrusive.has(name));
  if (inTheWay.length > 0 && !force) {
    throw new FolderNotEmptyError(
      `${target} is not empty (${inTheWay.slice(0, 3).join(", ")}${inTheWay.length > 3 ? ", …" : ""}): ` +
        "name another folder, or overwrite files of the same names with --force.",
    );
  }
  await cp(template, target, { recursive: true, filter: isPart });
  for (const [from, to] of Object.entries(renamed)) {
    await rename(join(target, from), join(target, to));
  }
  await nameIt(join(target, "package.json"), packageName(basename(target)));
  return nextSteps(target);
}

/** What an installation in a checkout's template leaves. */
function isPart(path: string): boolean {
  return !/^(node_modules|dist|data)\b/.test(relative(template, path));
}

async function nameIt(manifest: string, name: string): Promise<void> {
  const { name: _name, ...rest } = JSON.parse(await readFile(manifest, "utf8"));
  await writeFile(manifest, `${JSON.stringify({ name, ...rest }, null, 2)}\n`);
}

/** A name that npm takes. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/^[._-]+|[-.]+$/g, "");
  return name === "" ? "langwire-app" : name;
}

function nextSteps(target: string): string {
  const way = relative(".", target);
  const enter = way === "" ? "" : `  cd ${/^[\w./-]+$/.test(way) ? way : JSON.stringify(way)}\n`;
  return `Made a project in ${target}.\n\n${enter}  npm install\n  npm run dev\n`;
}
