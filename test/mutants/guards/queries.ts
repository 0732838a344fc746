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
];
