/**
 * Finds what a program's imports mean where Node.js finds nothing by itself: `./state.js` that is
 * state.ts, `./state` without an ending, a folder's index, and the `paths` of a tsconfig.json.
 */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Cache,
  createPathsMatcher,
  findTsconfig,
  getTsconfig,
  type PathsMatcher,
} from "get-tsconfig";
import { ProgramError } from "../../serve/program.ts";
import { isTypeScript } from "./typescript.ts";

const sources: Readonly<Record<string, readonly string[]>> = {
  ".js": [".ts", ".tsx"],
  ".mjs": [".mts"],
  ".cjs": [".cts"],
  ".jsx": [".tsx"],
};
const endings = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".json"];

/** A tsconfig.json by which no import can be found. */
export class TsconfigError extends ProgramError {
  readonly file: string;

  constructor(file: string, cause: unknown) {
    super(`${file} ${problemOf(cause)}`, { cause });
    this.file = file;
  }
}

export class ImportResolver {
  /** By folder. */
  readonly #paths = new Map<string, PathsMatcher | null>();
  readonly #tsconfigs: Cache = new Map();

  /**
   * @param importer the importing file
   * @returns every file that the import may mean, the likeliest first; none where it is a package's
   * @throws TsconfigError
   */
  candidates(specifier: string, importer: string): string[] {
    const isFile = /^(?:\.{0,2}\/|\.{1,2}$|file:)/.test(specifier);
    const meant = isFile ? [pathOf(specifier, importer)] : this.#byPaths(specifier, importer);
    return meant.flatMap((path) => spellings(path, isTypeScript(importer)));
  }

  #byPaths(specifier: string, importer: string): string[] {
    const folder = dirname(importer);
    let matcher = this.#paths.get(folder);
    if (matcher === undefined) {
      matcher = this.#matcherFor(folder);
      this.#paths.set(folder, matcher);
    }
    return matcher?.(specifier) ?? [];
  }

  #matcherFor(folder: string): PathsMatcher | null {
    try {
      const tsconfig = getTsconfig(folder, "tsconfig.json", this.#tsconfigs);
      return tsconfig && createPathsMatcher(tsconfig);
    } catch (cause) {
      // What is amiss may be put right.
      this.#tsconfigs.clear();
      const file = findTsconfig(folder);
      throw file === undefined ? cause : new TsconfigError(file, cause);
    }
  }
}

/** What get-tsconfig found, which names neither who asks for a file nor how to get it. */
function problemOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const [, base] = /^File '(.+)' not found\.$/.exec(message) ?? [];
  if (base === undefined) return `cannot be used: ${message}`;
  const [name] = /^(?:@[^/]+\/)?[^./@][^/]*/.exec(base) ?? [];
  return name === undefined
    ? `extends "${base}", which is not there`
    : `extends "${base}", which is not installed: npm install --save-dev ${name}`;
}

export const isFile = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true;

function pathOf(specifier: string, importer: string): string {
  const [path = ""] = specifier.split(/[?#]/, 1);
  if (specifier.startsWith("file:")) return fileURLToPath(path);
  return resolve(dirname(importer), decodeURIComponent(path));
}

/** TypeScript looks for its own files first; JavaScript has the file that it names, if there is one. */
function spellings(path: string, forTypeScript: boolean): string[] {
  const [ending = ""] = /\.[mc]?jsx?$/.exec(path) ?? [];
  const stem = path.slice(0, path.length - ending.length);
  const written = (sources[ending] ?? []).map((source) => stem + source);
  return [
    ...(forTypeScript ? [...written, path] : [path, ...written]),
    ...endings.map((end) => path + end),
    ...endings.map((end) => resolve(path, `index${end}`)),
  ];
}
