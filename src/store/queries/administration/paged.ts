/**
 * Long lists are read in pages, a statement each, and the event loop gets its turn between two of them: on
 * SQLite statements alone would keep it until the last one.
 */
import { setImmediate } from "node:timers/promises";
import type { Engine } from "../../engine.ts";

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

/** Every run with its sender, by the primary key: no index has the senders, which would cost each run. */
export function allSenders(engine: Engine) {
  return paged(pageSize, (last: { run_id: string; user_id: string } | undefined) =>
    engine.run((db) =>
      db
        .selectFrom("runs")
        .select(["run_id", "user_id"])
        .where("run_id", ">", last?.run_id ?? "")
        .orderBy("run_id")
        .limit(pageSize)
        .execute(),
    ),
  );
}
