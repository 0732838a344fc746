/** The tests that each mutant of Stryker's is tried with: of what is pure, or fast. */
import { fileURLToPath } from "node:url";
import { defineConfig, mergeConfig } from "vitest/config";
import root from "../../vitest.config.ts";

const { test: _, ...shared } = root;

export default mergeConfig(
  shared,
  defineConfig({
    test: {
      include: [
        "test/protocol/{order,fold,fold-model,tool-parts,answer-fold,message-fold,usage}.test.ts",
        "test/runs/{follower*,log-cursor,backfill,backfill-archives}.test.ts",
        "test/runs/{memberships,cursors,archives,held-archives}.test.ts",
        "test/client/{subscription-*,*-transcripts,event-buffer,backoff,attempts,explain}.test.ts",
        "test/client/{calls,client-parts,connection-state,heartbeat-socket,idle-*,liveness-clock,notifier}.test.ts",
        "test/log/{entry,entry-list,listeners,conversation-log,retention,memory,memory-model}.test.ts",
        "test/log/{run-archive,archived-rows,journalled,journal-rows,journal-segments-model}.test.ts",
      ],
      setupFiles: [fileURLToPath(new URL("end-on-failure.ts", import.meta.url))],
      // Stryker has a limit of its own for what hangs.
      testTimeout: 120_000,
      hookTimeout: 120_000,
    },
  }),
);
