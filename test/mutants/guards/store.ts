/** What the store keeps of a run's messages and events, and deletes. */
import type { Guard } from "../guard.ts";

const contract = ["test/store/sqlite.test.ts"];
const upgrade = ["test/store/upgrade.test.ts"];
const rows = ["test/store/sqlite-file.test.ts"];

export const storeGuards: readonly Guard[] = [
  {
    slip: "what a run has besides outlives it",
    file: "src/store/messages-migration.ts",
    code: 'key.onDelete("cascade")',
    becomes: 'key.onDelete("no action")',
    tests: contract,
  },
  {
    slip: "a run that a version before began follows whatever comes later",
    file: "src/store/queries/messages/select-messages.ts",
    code: '            .whereRef("p.end_seq", "<", "r.first_seq")\n',
    becomes: "",
    tests: upgrade,
  },
  {
    slip: "what a message's row says that it follows is not asked",
    file: "src/store/queries/messages/select-messages.ts",
    code: '          "q.parent_id",\n',
    becomes: "          sql<null>`null`,\n",
    tests: rows,
  },
  {
    slip: "every answer has a row",
    file: "src/store/queries/runs/finish.ts",
    code: "  if (stored === null && modelMessages === undefined) return undefined;\n",
    becomes: "",
    tests: rows,
  },
  {
    slip: "an ending that is told again fills what was emptied",
    file: "src/store/queries/runs/finish.ts",
    code: '      .where("user_id", "<>", "")\n',
    becomes: "",
    tests: contract,
  },
  {
    slip: "what models said stays when its run is emptied",
    file: "src/store/queries/administration/redaction.ts",
    code: ".set({ parts: null, model_messages: null })",
    becomes: ".set({ parts: null })",
    tests: contract,
  },
  {
    slip: "a page counts texts alone",
    file: "src/store/queries/messages/select-messages.ts",
    code: '"r.output", "a.parts"',
    becomes: '"r.output"',
    tests: contract,
  },
  {
    slip: "an ending is lost where the store refuses its events",
    file: "src/runs/finish-run.ts",
    code: "if (!hasMore || isStoreAway(cause)) throw cause;",
    becomes: "throw cause;",
    tests: ["test/runs/finish-run.test.ts"],
  },
];
