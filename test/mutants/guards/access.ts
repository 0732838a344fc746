/** Who may read and do what, and what they hold meanwhile. */
import type { Guard } from "../guard.ts";

const matrix = ["test/security/matrix.test.ts"];
const removal = ["test/security/ownership.test.ts", "test/runs/memberships.test.ts"];

export const accessGuards: readonly Guard[] = [
  {
    slip: "membership is not asked before messages are read",
    file: "src/api/conversations.ts",
    code: 'if (!member) throw new LangwireError("NOT_FOUND");',
    becomes: "",
    tests: matrix,
  },
  {
    slip: "a procedure without an access check is added",
    file: "src/api/conversations.ts",
    code: "    /** From now on, anybody who knows the id may join. */",
    becomes:
      "peek: procedure.input(messagesInput).query(({ input: { conversationId, ...page } }) => conversations.messages(conversationId, page)),",
    tests: matrix,
  },
  {
    slip: "membership is not asked before a conversation is watched",
    file: "src/runs/runs.ts",
    code: 'if (!known) throw new LangwireError("NOT_FOUND");',
    becomes: "",
    tests: matrix,
  },
  {
    slip: "deleting leaves the run in progress at work",
    file: "src/runs/runs.ts",
    code: "if (runningRunId !== undefined) this.stop(runningRunId);",
    becomes: "",
    tests: ["test/security/removal.test.ts"],
  },
  {
    slip: "an event stream that is refused for the user's limit keeps the address's place",
    file: "src/server/connections/connections.ts",
    code: "      this.#leave(address);\n      throw cause;",
    becomes: "      throw cause;",
    tests: ["test/security/held-places.test.ts"],
  },
  {
    slip: "a refused subscription keeps its place",
    file: "src/api/chat.ts",
    code: "      release?.();",
    becomes: "",
    tests: ["test/security/held-places.test.ts"],
  },
  {
    slip: "an operator's route asks for no token",
    file: "src/server/admin/admin.ts",
    code: '      admin.addHook("onRequest", requireBearer(token));',
    becomes: "",
    tests: ["test/security/routes.test.ts"],
  },
  {
    slip: "a token that has expired is a token",
    file: "src/server/access/auth.ts",
    code: "    clockTolerance: clockToleranceS,",
    becomes: "    clockTolerance: 3_600,",
    tests: matrix,
  },
  {
    slip: "a rename is anybody's who is a member",
    file: "src/store/queries/conversation-queries.ts",
    code: '.where("owner_id", "=", userId)',
    becomes: "",
    tests: matrix,
  },
  {
    slip: "those who were removed are not looked for",
    file: "src/api/conversations.ts",
    code: "    await runs.membersChanged(conversationId, removed);",
    becomes: "    void removed;",
    tests: removal,
  },
  {
    slip: "a removal whose answer was lost shuts nobody out",
    file: "src/api/conversations.ts",
    code: "      await runs.membersChanged(conversationId, []);\n",
    becomes: "",
    tests: ["test/security/removal.test.ts"],
  },
  {
    slip: "what an application's authenticate gives is not checked",
    file: "src/server/access/identify.ts",
    code: "userId: readUserId(userId),",
    becomes: "userId,",
    tests: ["test/security/access.test.ts"],
  },
  {
    slip: "a session that has expired is one",
    file: "src/server/access/identify.ts",
    code: "expiresAtMs <= Date.now()",
    becomes: "expiresAtMs <= 0",
    tests: ["test/security/access.test.ts"],
  },
  {
    slip: "an authenticate that never answers is waited for",
    file: "src/server/access/identify.ts",
    code: "isLater ? await inTime(answered, asked, timeoutMs) : answered",
    becomes: "await answered",
    tests: ["test/security/access.test.ts"],
  },
  {
    slip: "a browser is refused before the upgrade, which it cannot see",
    file: "src/server/access/gate.ts",
    code: " && !(request.ws && origin !== undefined)",
    becomes: "",
    tests: ["test/security/sessions.test.ts"],
  },
  {
    slip: "a caller's context is told to tracers",
    file: "src/bots/invocation/run-config.ts",
    code: "    extraParams.options = shown;\n",
    becomes: "",
    tests: ["test/security/caller-context.test.ts"],
  },
  {
    slip: "a context that does not fit names its values",
    file: "src/runs/admission/preparation.ts",
    code: "checked.paths.join",
    becomes: "checked.issues.join",
    tests: ["test/security/caller-context.test.ts"],
  },
  {
    slip: "one user's calls take all of the store's connections",
    file: "src/server/pacing/start-slots.ts",
    code: "const maxAtOnce = 4;",
    becomes: "const maxAtOnce = 400;",
    tests: ["test/server/start-slots.test.ts"],
  },
  {
    slip: "a stock client over SSE is not told of silence",
    file: "src/server/http/event-stream.ts",
    code: "reconnectAfterInactivityMs: Math.ceil(silenceMs)",
    becomes: "",
    tests: ["test/security/event-streams.test.ts"],
  },
];
