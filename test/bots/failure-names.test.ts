/** What a failure is named: the same wherever it surfaces, and never by what only a server may say. */
import { describe, expect, test } from "vitest";
import { mayBeSaidByBots } from "../../src/bots/failures/bot-errors.ts";
import { FailureNames } from "../../src/bots/failures/failure-names.ts";
import { errorCodes, LangwireError } from "../../src/protocol/errors.ts";

function wrapped(cause: unknown, times: number): unknown {
  return times === 0 ? cause : wrapped(new Error("wrapped", { cause }), times - 1);
}

describe("one failure", () => {
  test.each([0, 1, 2, 7])(
    "that is wrapped %i times is named once, where it came first",
    (times) => {
      const names = new FailureNames();
      const thrown = new Error("boom");
      const first = names.of(thrown, "tool");
      expect(first.code).toBe("TOOL_FAILED");
      expect(names.of(wrapped(thrown, times), "chain")).toBe(first);
    },
  );

  test.each([
    ["another one", () => new Error("boom")],
    ["one that is wrapped without end", (thrown: Error) => wrapped(thrown, 50)],
    ["what is no object", () => "boom"],
  ])("is not %s", (_what, other) => {
    const names = new FailureNames();
    const thrown = new Error("boom");
    const first = names.of(thrown, "tool");
    const second = names.of(other(thrown), "chain");
    expect(second).not.toBe(first);
    expect(second.code).toBe("BOT_FAILED");
  });

  test("whose causes go in a circle has a name", () => {
    const circular = new Error("boom");
    circular.cause = circular;
    const names = new FailureNames();
    expect(names.of(circular, "chain")).toBe(names.of(circular, "tool"));
  });
});

test.each(errorCodes)("a bot that throws %s says it, or has failed", (code) => {
  const thrown = new LangwireError(code, { message: "My words.", retryAfterMs: 5 });
  const named = new FailureNames().of(thrown, "chain");
  const may = mayBeSaidByBots(code);
  expect(named.code).toBe(may ? code : "BOT_FAILED");
  expect([named.message === "My words.", named.retryAfterMs]).toEqual([may, may ? 5 : undefined]);
});

test("what only a server, a caller or a run's owner decides is not a bot's to say", () => {
  expect(errorCodes.filter((code) => !mayBeSaidByBots(code))).toEqual([
    ...["UNAUTHORIZED", "AUTH_UNAVAILABLE", "CONVERSATION_BUSY", "OVERLOADED"],
    ...["RUN_TIMEOUT", "RUN_TOO_LARGE", "SERVER_RESTARTED", "OWNER_LOST"],
    ...["STORE_UNAVAILABLE", "INTERNAL"],
  ]);
});
