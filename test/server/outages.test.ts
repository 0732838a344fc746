/** Which of what an application's `authenticate` throws is an outage, after which a caller may come again. */
import { expect, test } from "vitest";
import { isOutage } from "../../src/server/access/outages.ts";

const failed = (more: object = {}) => Object.assign(new Error("failed"), more);
const named = (name: string) => failed({ name });
const inCauses = (depth: number, cause: unknown): unknown =>
  depth === 0 ? cause : new Error("of another", { cause: inCauses(depth - 1, cause) });

function circle(): Error {
  const error = failed();
  error.cause = new Error("of it", { cause: error });
  return error;
}

test.each<[string, unknown, boolean]>([
  ...["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EPIPE"].map(
    (code): [string, unknown, boolean] => [code, failed({ code }), true],
  ),
  ["undici's", failed({ code: "UND_ERR_SOCKET" }), true],
  ["Postgres's connection", failed({ code: "08006" }), true],
  ["Postgres shuts down", failed({ code: "57P01" }), true],
  ["Postgres, a slip", failed({ code: "42P01" }), false],
  ["a file that is not there", failed({ code: "ENOENT" }), false],
  ["a time-out", named("TimeoutError"), true],
  ["given up", named("AbortError"), true],
  ["a slip", new TypeError("x is not a function"), false],
  ...([400, 401, 403, 404] as const).map((status): [string, unknown, boolean] => [
    `status ${status}`,
    failed({ status }),
    false,
  ]),
  ...([429, 500, 503] as const).map((status): [string, unknown, boolean] => [
    `status ${status}`,
    failed({ statusCode: status }),
    true,
  ]),
  ["fetch's", inCauses(1, failed({ code: "ECONNREFUSED" })), true],
  ["deep", inCauses(4, failed({ status: 503 })), true],
  ["too deep to be looked for", inCauses(5, failed({ status: 503 })), false],
  ["several at once", new AggregateError([failed({ code: "ECONNREFUSED" })]), true],
  ["in a circle", circle(), false],
  ["no error", "ECONNREFUSED", false],
])("%s", (_what, thrown, should) => {
  expect(isOutage(thrown)).toBe(should);
});
