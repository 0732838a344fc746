/** Who may read and do what. */
import type { Guard } from "../guard.ts";

const matrix = ["test/security/matrix.test.ts"];

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
    code: "    /** From now on whoever knows the id may join. */",
    becomes:
      "peek: procedure.input(messagesInput).query(({ input: { conversationId, ...page } }) => conversations.messages(conversationId, page)),",
    tests: matrix,
  },
];
