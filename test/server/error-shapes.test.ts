/** What a caller receives of each error: the HTTP status that proxies go by, our code, and nothing that was thrown. */
import { getTRPCErrorShape, initTRPC, TRPCError } from "@trpc/server";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  formatError,
  formatErrorInDetail,
  toLangwireError,
  toTrpcError,
} from "../../src/api/errors.ts";
import { type ErrorCode, errorTable, LangwireError } from "../../src/protocol/errors.ts";

const config = initTRPC.create({ errorFormatter: formatError }).router({})._def._config;
const inDetail = initTRPC.create({ errorFormatter: formatErrorInDetail }).router({})._def._config;

function shapeOf(error: TRPCError, by = config) {
  const call = { type: "unknown", path: undefined, input: undefined, ctx: undefined } as const;
  return getTRPCErrorShape({ config: by, error, ...call }) as ReturnType<typeof formatError>;
}

const statuses: Record<number, readonly ErrorCode[]> = {
  400: ["BAD_INPUT", "CONTEXT_OVERFLOW"],
  401: ["UNAUTHORIZED"],
  404: ["NOT_FOUND"],
  408: ["RUN_TIMEOUT"],
  409: ["CONVERSATION_BUSY"],
  413: ["RUN_TOO_LARGE"],
  422: ["BOT_LIMIT_REACHED", "BOT_REFUSED"],
  429: ["RATE_LIMITED", "MODEL_RATE_LIMIT"],
  500: ["INTERNAL", "BOT_FAILED", "TOOL_FAILED", "OUTPUT_INVALID"],
  501: ["INTERRUPT_UNSUPPORTED"],
  502: ["MODEL_AUTHENTICATION", "MODEL_NOT_FOUND", "PROVIDER_ERROR", "PROVIDER_REJECTED"],
  503: ["AUTH_UNAVAILABLE", "OVERLOADED", "SERVER_RESTARTED", "OWNER_LOST", "STORE_UNAVAILABLE"],
  504: ["PROVIDER_TIMEOUT"],
};

test("each code has its status, and is told with what a caller does about it", () => {
  const told = Object.entries(statuses).flatMap(([status, codes]) =>
    codes.map((code) => ({ status: Number(status), code })),
  );
  expect(told.map(({ code }) => code).sort()).toEqual(Object.keys(errorTable).sort());
  for (const { status, code } of told) {
    const secret = new Error("secret");
    const error = new LangwireError(code, { cause: secret, retryAfterMs: 5 });
    const thrown = toTrpcError(error);
    expect([code, getHTTPStatusCodeFromError(thrown)]).toEqual([code, status]);
    const shape = shapeOf(thrown);
    const { retryable } = errorTable[code];
    expect(shape.data).toMatchObject({
      httpStatus: status,
      langwire: { code, retryable, retryAfterMs: 5 },
    });
    expect(shape.data.langwire).not.toHaveProperty("unheard");
    expect(shape.message).toBe(error.message);
    expect(JSON.stringify(shape)).not.toContain("secret");
    expect(shapeOf(thrown, inDetail).data.langwire.detail).toContain("secret");
  }
});

test("that nothing was heard of a call is told", () => {
  const error = new LangwireError("AUTH_UNAVAILABLE", { unheard: true });
  expect(shapeOf(toTrpcError(error)).data.langwire).toMatchObject({ unheard: true });
});

test.each([
  ["PARSE_ERROR", "BAD_INPUT"],
  ["BAD_REQUEST", "BAD_INPUT"],
  ["UNPROCESSABLE_CONTENT", "BAD_INPUT"],
  ["UNSUPPORTED_MEDIA_TYPE", "BAD_INPUT"],
  ["METHOD_NOT_SUPPORTED", "BAD_INPUT"],
  ["PAYLOAD_TOO_LARGE", "BAD_INPUT"],
  ["NOT_FOUND", "NOT_FOUND"],
  ["UNAUTHORIZED", "UNAUTHORIZED"],
  ["TOO_MANY_REQUESTS", "RATE_LIMITED"],
  ["INTERNAL_SERVER_ERROR", "INTERNAL"],
  ["FORBIDDEN", "INTERNAL"],
] as const)("what tRPC itself refuses with %s is %s, in our words", (code, ours) => {
  const error = new TRPCError({ code, message: "secret" });
  expect(toLangwireError(error).code).toBe(ours);
  expect(JSON.stringify(shapeOf(error))).not.toContain("secret");
});

test("an input that does not fit is named by its fields, the first few of them, also in development", () => {
  const fields = Object.fromEntries(
    Array.from({ length: 9 }, (_, index) => [`field${index}`, z.string()]),
  );
  const { error: cause } = z.object(fields).safeParse({});
  const error = new TRPCError({ code: "BAD_REQUEST", cause });
  for (const by of [config, inDetail]) {
    const { message, data } = shapeOf(error, by);
    expect(message.match(/field\d/g)).toEqual(["field0", "field1", "field2", "field3", "field4"]);
    expect(data.langwire).toEqual({ code: "BAD_INPUT", retryable: false });
  }
});
