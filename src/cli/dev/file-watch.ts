/**
 * Notices when files may have changed, by the folders that they are in: editors replace a file by another,
 * which a watch of the file itself does not survive, and a file that is not there yet has none.
 */
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** What is written in several steps is read when it is whole. */
const settleMs = 60;

export class FileWatch implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #names = new Map<string, Set<string>>();
  readonly #changed: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param changed called once for changes that come together */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Watches these, too. */
  add(files: Iterable<string>): void {
    for (const file of files) {
      const folder = dirname(file);
      const names = this.#names.get(folder) ?? new Set();
      this.#names.set(folder, names.add(basename(file)));
      if (!this.#watchers.has(folder)) this.#watch(folder);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name !== null && !this.#names.get(folder)?.has(name)) return;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(this.#changed, settleMs);
      });
      // The folder was removed: what was in it has gone.
      watcher.on("error", () => this.#watchers.delete(folder));
      this.#watchers.set(folder, watcher);
    } catch {
      // There is no such folder: of one of several places where a file may be.
    }
  }
}
