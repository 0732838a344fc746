/**
 * Notices when files may have changed, by the folders that they are in: editors replace a file by another,
 * which a watch of the file itself does not survive, and a file that is not there yet has none.
 */
import { type FSWatcher, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** What is written in several steps is read when it is whole. */
const settleMs = 60;

/** A folder that was removed and made again is another one, of which the watcher tells nothing. */
interface Watched {
  readonly inode: number;
  readonly watcher: FSWatcher;
}

export class FileWatch implements Disposable {
  readonly #watched = new Map<string, Watched>();
  /** By folder. Of one that is not there, its own name is among those of the folder around it. */
  readonly #names = new Map<string, Set<string>>();
  readonly #changed: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param changed called once for changes that come together */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Watches these, too. */
  add(files: Iterable<string>): void {
    for (const file of files) this.#add(file);
    this.#watchAll();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const { watcher } of this.#watched.values()) watcher.close();
  }

  #add(file: string): void {
    const folder = dirname(file);
    const names = this.#names.get(folder) ?? new Set();
    this.#names.set(folder, names.add(basename(file)));
  }

  /** Each folder as it is now: another branch may have others in their places. */
  #watchAll(): void {
    // Those around a missing one come to the end of it.
    for (const folder of this.#names.keys()) {
      const inode = inodeOf(folder);
      const before = this.#watched.get(folder);
      if (inode === undefined && dirname(folder) !== folder) this.#add(folder);
      if (before?.inode === inode) continue;
      before?.watcher.close();
      this.#watched.delete(folder);
      if (inode !== undefined) this.#watch(folder, inode);
    }
  }

  #watch(folder: string, inode: number): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        // Of its own end a folder tells by its own name.
        const isOwn = name === basename(folder);
        if (name !== null && !isOwn && !this.#names.get(folder)?.has(name)) return;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
          this.#watchAll();
          this.#changed();
        }, settleMs);
      });
      watcher.on("error", () => this.#watched.delete(folder));
      this.#watched.set(folder, { inode, watcher });
    } catch {
      // It has gone meanwhile.
    }
  }
}

function inodeOf(folder: string): number | undefined {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() ? found.ino : undefined;
}
