import { expect, test } from "vitest";
import { mayAskAgain } from "../../client/page/chat/messages/asking-again.ts";
import { errorCodes, errorTable } from "../../src/protocol/errors.ts";

const failureOf = (code: (typeof errorCodes)[number]) => ({
  code,
  retryable: errorTable[code].retryable,
});

test("what passes by itself may be asked again", () => {
  const retryable = errorCodes.filter((code) => errorTable[code].retryable);
  expect(retryable.filter((code) => !mayAskAgain(failureOf(code)))).toEqual([]);
});

test("what gets the same answer until it is changed may not", () => {
  expect(errorCodes.filter((code) => !mayAskAgain(failureOf(code)))).toEqual([
    "BAD_INPUT",
    "UNAUTHORIZED",
    "NOT_FOUND",
    "CONTEXT_OVERFLOW",
    "BOT_REFUSED",
    "INTERRUPT_UNSUPPORTED",
  ]);
});

test.each([true, false])("a code of a newer server is as it says: %s", (retryable) => {
  const failure = JSON.parse(JSON.stringify({ code: "constructor", retryable }));
  expect(mayAskAgain(failure)).toBe(retryable);
});
