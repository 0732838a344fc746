/**
 * Which of a program's files import which, and how often each has changed. A file that has changed is
 * loaded anew, and so is whatever imports it; the others stay the modules that they are, with what they
 * hold: a checkpointer in memory, an index that took a minute to build.
 */
import { statSync } from "node:fs";

export class ModuleGraph {
  readonly #importers = new Map<string, Set<string>>();
  readonly #versions = new Map<string, number>();
  /** What each file was when it was last looked at; `undefined` where there was none. */
  readonly #signatures = new Map<string, string | undefined>();

  /** Every file that the program is made of, and those that were looked for and not found. */
  get files(): IterableIterator<string> {
    return this.#signatures.keys();
  }

  /** How often the file, or one that it imports, has changed. */
  version(file: string): number {
    return this.#versions.get(file) ?? 0;
  }

  /** @param importer the file that imports it; none imports the program's first */
  add(file: string, importer?: string): void {
    if (!this.#signatures.has(file)) this.#signatures.set(file, signatureOf(file));
    if (importer === undefined) return;
    const importers = this.#importers.get(file) ?? new Set();
    this.#importers.set(file, importers.add(importer));
  }

  /** Looks at the files again. @returns those that are not what they were */
  changed(): string[] {
    return [...this.#signatures].flatMap(([file, before]) => {
      const now = signatureOf(file);
      if (now === before) return [];
      this.#signatures.set(file, now);
      return [file];
    });
  }

  /** @returns the files that are to be loaded anew: these, and all that import them */
  invalidate(files: Iterable<string>): ReadonlySet<string> {
    const stale = new Set<string>(files);
    for (const file of stale) {
      this.#versions.set(file, this.version(file) + 1);
      for (const importer of this.#importers.get(file) ?? []) stale.add(importer);
    }
    return stale;
  }
}

function signatureOf(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() ? `${stats.mtimeMs} ${stats.size} ${stats.ino}` : undefined;
}
