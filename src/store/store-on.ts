/** The store on whichever engine; the engine's own file adds how it ends. */

import type { Engine } from "./engine.ts";
import { StoredAdministration } from "./queries/administration/administration.ts";
import { StoredArchives } from "./queries/archives.ts";
import { StoredConversations } from "./queries/conversations.ts";
import { StoredDeletions } from "./queries/deletions.ts";
import { StoredRuns } from "./queries/runs/runs.ts";
import type { Store } from "./store.ts";

/** @param numbersAfter no event has this number or a lower one from now on: see skipped-numbers.ts */
export function storeOn(
  engine: Engine,
  numbersAfter: number,
): Omit<Store, typeof Symbol.asyncDispose> {
  return {
    conversations: new StoredConversations(engine, numbersAfter),
    runs: new StoredRuns(engine, numbersAfter),
    archives: new StoredArchives(engine),
    deletions: new StoredDeletions(engine),
    administration: new StoredAdministration(engine),
    async ping() {
      // A transaction that writes nothing: on SQLite it takes the lock that writing needs.
      await engine.transaction((db) =>
        db.selectFrom("conversations").select("bot_id").limit(1).execute(),
      );
    },
  };
}
