/** What the store answers and changes. */
import type { Guard } from "../guard.ts";

export const queryGuards: readonly Guard[] = [
  {
    slip: "a tombstone has its owner's name",
    file: "src/store/queries/conversation-queries.ts",
    code: 'owner_id: "", title: "", shared: 0 }',
    becomes: 'title: "", shared: 0 }',
    tests: ["test/store/sqlite-file.test.ts"],
  },
  {
    slip: "a tombstone has its title",
    file: "src/store/queries/conversation-queries.ts",
    code: 'owner_id: "", title: "", shared: 0 }',
    becomes: 'owner_id: "", shared: 0 }',
    tests: ["test/store/sqlite-file.test.ts"],
  },
  {
    slip: "a full last page has a next one",
    file: "src/store/queries/conversations.ts",
    code: "return rows.length > limit && last",
    becomes: "return rows.length >= limit && last",
    tests: ["test/store/sqlite.test.ts"],
  },
  {
    slip: "a member creates somebody else's conversation again",
    file: "src/store/queries/conversations.ts",
    code: "existing?.owned && existing.botId === botId ? existing",
    becomes: "existing?.botId === botId ? existing",
    tests: ["test/store/sqlite.test.ts"],
  },
  {
    slip: "another bot's conversation takes a run",
    file: "src/store/queries/runs/claim.ts",
    code: "    if (conversation?.bot_id !== botId) return undefined;\n",
    becomes: "    if (conversation === undefined) return undefined;\n",
    tests: ["test/store/sqlite.test.ts"],
  },
  {
    slip: "a run that began meanwhile is busy with itself",
    file: "src/store/queries/runs/claim.ts",
    code: "if (row.running_run_id === null || row.running_run_id === runId) return undefined;",
    becomes: "if (row.running_run_id === null) return undefined;",
    tests: ["test/store/claims.test.ts"],
  },
  {
    slip: "a claim is tried for ever",
    file: "src/store/queries/runs/claim.ts",
    code: "attempt < maxAttempts; attempt++",
    becomes: "attempt < maxAttempts; ",
    tests: ["test/store/claims.test.ts"],
  },
  {
    slip: "an ending at another time counts as the same",
    file: "src/store/queries/runs/finish.ts",
    code: " && run.endedAt === endedAt;",
    becomes: ";",
    tests: ["test/store/sqlite.test.ts"],
  },
  {
    slip: "a process's runs in progress are everybody's",
    file: "src/store/queries/runs/runs.ts",
    code: 'owner === undefined ? query : query.where("owner", "=", owner)',
    becomes: "owner === undefined ? query : query",
    tests: ["test/store/sqlite.test.ts"],
  },
  {
    slip: "what ended at the moment asked for is not among the archived",
    file: "src/store/queries/archives.ts",
    code: '.where("a.ended_at", ">=", endedAt)',
    becomes: '.where("a.ended_at", ">", endedAt)',
    tests: ["test/store/sqlite.test.ts"],
  },
  {
    slip: "a long list keeps the thread",
    file: "src/store/queries/administration/paged.ts",
    code: "    await setImmediate();\n",
    becomes: "",
    tests: ["test/store/large-deletions.test.ts"],
  },
];
