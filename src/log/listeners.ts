/**
 * Who is woken when a conversation's log has changed, all of them in one pass. Most stand at the same place and
 * read the same: a slice is cut once in a pass, and all who ask for it are given the same one.
 */
import type { Slice } from "./log.ts";

export class Listeners {
  readonly #callbacks = new Set<() => void>();
  #isShared = false;
  /** What was last read in this pass, and after which number. Dropped with the pass: it would keep entries. */
  #slice: Slice | undefined;
  #after = 0;

  get size(): number {
    return this.#callbacks.size;
  }

  add(onChange: () => void): void {
    this.#callbacks.add(onChange);
  }

  delete(onChange: () => void): void {
    this.#callbacks.delete(onChange);
  }

  /** To be called after every change of what can be read: what was read before is not given any more. */
  wake(): void {
    this.#slice = undefined;
    this.#isShared = this.#callbacks.size > 1;
    for (const onChange of this.#callbacks) onChange();
    this.#isShared = false;
    this.#slice = undefined;
  }

  /** The slice after a number, where somebody has read it in this pass. */
  sliceAfter(after: number): Slice | undefined {
    return this.#after === after ? this.#slice : undefined;
  }

  /** Keeps a slice that was read, for the others of this pass. @returns the slice */
  share(after: number, slice: Slice): Slice {
    if (this.#isShared) {
      this.#after = after;
      this.#slice = slice;
    }
    return slice;
  }
}
