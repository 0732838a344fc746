/** Who may come in, and what they are told who may not. */
import type { Guard } from "../guard.ts";

export const entranceGuards: readonly Guard[] = [
  {
    slip: "a request line names another host than the header",
    file: "src/server/access/auth-request.ts",
    code: '.replace(/^[a-z][a-z\\d+.-]*:\\/\\/[^/?#]*/i, "")',
    becomes: "",
    tests: ["test/security/request-lines.test.ts"],
  },
  {
    slip: "a token of any length is verified",
    file: "src/server/access/auth.ts",
    code: " || token.length > maxTokenLength) {",
    becomes: ") {",
    tests: ["test/server/auth.test.ts"],
  },
  {
    slip: "wrong tokens may be tried for ever",
    file: "src/server/access/bearer.ts",
    code: "    await wrongTokens.take(addressKey(ip));\n",
    becomes: "    void [wrongTokens, addressKey(ip)];\n",
    tests: ["test/ops/admin.test.ts"],
  },
  {
    slip: "requests of one address have no rate",
    file: "src/server/access/gate.ts",
    code: "      await requestsPerAddress.take(addressKey(request.ip));\n",
    becomes: "",
    tests: ["test/security/limits.test.ts"],
  },
  {
    slip: "an authenticate's timer stays when it has answered",
    file: "src/server/access/identify.ts",
    code: "    clearTimeout(timer);\n  }\n}\n\n/**\n * An id",
    becomes: "    void timer;\n  }\n}\n\n/**\n * An id",
    tests: ["test/server/identify.test.ts"],
  },
  {
    slip: "seconds are taken for milliseconds",
    file: "src/server/access/identify.ts",
    code: "  if (ms >= earliestMs) return ms;",
    becomes: "  if (ms >= 0) return ms;",
    tests: ["test/server/identify.test.ts"],
  },
  {
    slip: "a refused connection stays open where nobody reads",
    file: "src/server/access/refusals.ts",
    code: "    const timer = setTimeout(() => socket.destroy(), refusalTimeoutMs);\n",
    becomes: "    const timer = setTimeout(() => {}, refusalTimeoutMs);\n",
    tests: ["test/server/refusals.test.ts"],
  },
  {
    slip: "a failure of ours is logged nowhere",
    file: "src/server/access/refusals.ts",
    code: '    if (error.code === "INTERNAL") {',
    becomes: '    if (error.code === "NOT_FOUND") {',
    tests: ["test/server/refusals.test.ts"],
  },
  {
    slip: "a conversation of a bot that is none is made",
    file: "src/api/conversations.ts",
    code: '      if (bots.get(input.botId) === undefined) throw new LangwireError("NOT_FOUND");\n',
    becomes: "",
    tests: ["test/e2e/send.test.ts"],
  },
  {
    slip: "what is shown in development is shown always",
    file: "src/api/router.ts",
    code: "{ inDevelopment: failureDetails !== undefined }",
    becomes: "{ inDevelopment: true }",
    tests: ["test/security/failure-details.test.ts"],
  },
];
