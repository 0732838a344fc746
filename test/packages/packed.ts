/**
 * The packages as npm would publish them, installed into an empty project outside of the repository.
 * Their dependencies are linked from the repository's own, those that they declare and no others.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = new URL("../..", import.meta.url).pathname;
export const bin = (name: string): string => join(root, "node_modules/.bin", name);

export interface PackedProjectOptions {
  /** Default: all. */
  readonly packages?: readonly (keyof typeof folders)[];
  /** Whether the server's package has its page, as a published one does. Default: false. */
  readonly page?: boolean;
  /** What else the project has installed, from the repository's own. */
  readonly also?: readonly string[];
}

/** Where each package is, from the root. */
const folders = {
  langwire: ".",
  "langwire-client": "client",
  "create-langwire": "create",
} as const;

export interface PackedProject extends AsyncDisposable {
  /** The empty project. */
  readonly folder: string;
  /** The packages as they are installed there. */
  readonly packages: readonly string[];
  /** The archives. */
  readonly archives: readonly string[];
  write(file: string, text: string): Promise<void>;
  /** Runs a program in the project. @returns what it printed; rejects when it fails */
  run(command: string, ...args: string[]): Promise<string>;
}

export async function openPackedProject({
  packages: names = ["langwire", "langwire-client", "create-langwire"],
  also = [],
  page = false,
}: PackedProjectOptions = {}): Promise<PackedProject> {
  const place = await mkdtemp(join(tmpdir(), "langwire-packages-"));
  const source = join(place, "source");
  const folder = join(place, "project");
  await copySource(source);
  if (page) await run(process.execPath, ["client/page/build.ts"], { cwd: source });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const archives = await Promise.all(
    names.map(async (name) => {
      const cwd = join(source, folders[name]);
      await run(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd });
      return await pack(cwd, place);
    }),
  );
  const modules = join(folder, "node_modules");
  await mkdir(modules, { recursive: true });
  await linkDependencies(modules, names, also);
  const packages = await Promise.all(
    names.map((name, at) => install(archives[at] ?? "", join(modules, name))),
  );
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  return {
    folder,
    packages,
    archives,
    write: (file, text) => writeFile(join(folder, file), text),
    run: async (command, ...args) => {
      const { stdout, stderr } = await run(command, args, { cwd: folder, maxBuffer: 1e8 }).catch(
        ({ message, stdout, stderr }) => {
          throw new Error(`${message}\n${stdout}\n${stderr}`);
        },
      );
      return stdout + stderr;
    },
    [Symbol.asyncDispose]: () => rm(place, { recursive: true }),
  };
}

/** A copy to build in: the repository's own build is in use by those who run it. */
async function copySource(target: string): Promise<void> {
  const files = [
    "bin",
    "src",
    "client",
    "create",
    "examples",
    "scripts",
    "package.json",
    "tsconfig.json",
    "tsconfig.build.json",
  ];
  const packed = [
    "PROTOCOL.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    ".env.example",
    "README.md",
    "LICENSE",
  ];
  for (const file of [...files, ...packed]) {
    await cp(join(root, file), join(target, file), {
      recursive: true,
      filter: (path) => !/\/(node_modules|dist)$/.test(path),
    });
  }
  await symlink(join(root, "node_modules"), join(target, "node_modules"));
}

async function pack(folder: string, target: string): Promise<string> {
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", target];
  const { stdout } = await run("npm", args, { cwd: folder });
  const answer: Record<string, { filename: string }> | { filename: string }[] = JSON.parse(stdout);
  const [packed] = Object.values(answer);
  return join(target, packed?.filename ?? "");
}

async function install(archive: string, target: string): Promise<string> {
  await mkdir(target, { recursive: true });
  await run("tar", ["xzf", archive, "-C", target, "--strip-components=1"]);
  const { bin = {} }: { bin?: Record<string, string> } = JSON.parse(
    await readFile(join(target, "package.json"), "utf8"),
  );
  const commands = join(target, "../.bin");
  await mkdir(commands, { recursive: true });
  for (const [name, path] of Object.entries(bin)) {
    await symlink(join(target, path), join(commands, name));
  }
  return target;
}

interface LockEntry {
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly peerDependenciesMeta?: Record<string, { readonly optional?: boolean }>;
}

/** The tools of a new user's own, beside what the packages bring: Vite and Node's types. */
const tools = ["vite", "@types/node"];

/**
 * What `npm install` of the packages brings along, and those that it is named beside them: what they
 * declare, what that declares in turn, and no others.
 */
async function linkDependencies(
  modules: string,
  packages: readonly (keyof typeof folders)[],
  also: readonly string[],
): Promise<void> {
  const lock: { packages: Record<string, LockEntry> } = JSON.parse(
    await readFile(join(root, "package-lock.json"), "utf8"),
  );
  const own = new Set<string>(Object.keys(folders));
  const named = new Set<string>();
  const add = (entry: LockEntry | undefined): void => {
    const { dependencies, optionalDependencies, peerDependencies } = entry ?? {};
    for (const name of Object.keys({
      ...dependencies,
      ...optionalDependencies,
      ...peerDependencies,
    })) {
      const isOptionalPeer = entry?.peerDependenciesMeta?.[name]?.optional === true;
      if (!named.has(name) && !own.has(name) && !isOptionalPeer) addPackage(name);
    }
  };
  const addPackage = (name: string): void => {
    named.add(name);
    add(lock.packages[`node_modules/${name}`]);
  };
  for (const name of packages) add(lock.packages[folders[name] === "." ? "" : folders[name]]);
  for (const name of [...tools, ...also]) addPackage(name);
  // They are installed themselves: through a link, the archive would be unpacked into the repository.
  for (const name of packages) named.delete(name);
  for (const name of named) {
    const [source, target] = [join(root, "node_modules", name), join(modules, name)];
    // What is for other platforms, or lies in the folder of whoever needs it.
    if (!existsSync(source)) continue;
    await mkdir(dirname(target), { recursive: true });
    await symlink(source, target);
  }
}
