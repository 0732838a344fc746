/**
 * Long lists are read in pages, a statement each, and the event loop gets its turn between two of them: on
 * SQLite statements alone would keep it until the last one.
 */
import { setImmediate } from "node:timers/promises";

/** How many conversations, members or runs are looked at in one statement. */
export const pageSize = 500;

/** @param pageAfter reads up to `size` items that follow `last` */
export async function* paged<T>(
  size: number,
  pageAfter: (last: T | undefined) => Promise<T[]>,
): AsyncGenerator<T, void> {
  let page: T[] = [];
  do {
    page = await pageAfter(page.at(-1));
    yield* page;
    await setImmediate();
  } while (page.length === size);
}
