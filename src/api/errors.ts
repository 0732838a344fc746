/** Maps our error codes to tRPC's, and decides what of an error a caller receives. */
import { type TRPC_ERROR_CODE_KEY, TRPCError } from "@trpc/server";
import type { TRPCErrorShape } from "@trpc/server/rpc";
import { z } from "zod";
import { describeThrown } from "../bots/failures/thrown.ts";
import { type ErrorCode, LangwireError, type Refusal } from "../protocol/errors.ts";

const trpcCodes: Record<ErrorCode, TRPC_ERROR_CODE_KEY> = {
  BAD_INPUT: "BAD_REQUEST",
  UNAUTHORIZED: "UNAUTHORIZED",
  AUTH_UNAVAILABLE: "SERVICE_UNAVAILABLE",
  NOT_FOUND: "NOT_FOUND",
  CONVERSATION_BUSY: "CONFLICT",
  RATE_LIMITED: "TOO_MANY_REQUESTS",
  OVERLOADED: "SERVICE_UNAVAILABLE",
  MODEL_RATE_LIMIT: "TOO_MANY_REQUESTS",
  MODEL_AUTHENTICATION: "BAD_GATEWAY",
  MODEL_NOT_FOUND: "BAD_GATEWAY",
  CONTEXT_OVERFLOW: "BAD_REQUEST",
  PROVIDER_TIMEOUT: "GATEWAY_TIMEOUT",
  PROVIDER_ERROR: "BAD_GATEWAY",
  PROVIDER_REJECTED: "BAD_GATEWAY",
  TOOL_FAILED: "INTERNAL_SERVER_ERROR",
  OUTPUT_INVALID: "INTERNAL_SERVER_ERROR",
  BOT_FAILED: "INTERNAL_SERVER_ERROR",
  BOT_LIMIT_REACHED: "UNPROCESSABLE_CONTENT",
  BOT_REFUSED: "UNPROCESSABLE_CONTENT",
  INTERRUPT_UNSUPPORTED: "NOT_IMPLEMENTED",
  RUN_TIMEOUT: "TIMEOUT",
  RUN_TOO_LARGE: "PAYLOAD_TOO_LARGE",
  SERVER_RESTARTED: "SERVICE_UNAVAILABLE",
  OWNER_LOST: "SERVICE_UNAVAILABLE",
  STORE_UNAVAILABLE: "SERVICE_UNAVAILABLE",
  INTERNAL: "INTERNAL_SERVER_ERROR",
};

/** What tRPC itself refuses: everything else that it throws is a failure of ours. */
const ownCodes: Partial<Record<TRPC_ERROR_CODE_KEY, ErrorCode>> = {
  PARSE_ERROR: "BAD_INPUT",
  BAD_REQUEST: "BAD_INPUT",
  UNPROCESSABLE_CONTENT: "BAD_INPUT",
  UNSUPPORTED_MEDIA_TYPE: "BAD_INPUT",
  METHOD_NOT_SUPPORTED: "BAD_INPUT",
  PAYLOAD_TOO_LARGE: "BAD_INPUT",
  NOT_FOUND: "NOT_FOUND",
  UNAUTHORIZED: "UNAUTHORIZED",
  TOO_MANY_REQUESTS: "RATE_LIMITED",
};

const issuesShown = 5;

export function toTrpcError(cause: unknown): TRPCError {
  const error = cause instanceof LangwireError ? cause : new LangwireError("INTERNAL", { cause });
  return new TRPCError({ code: trpcCodes[error.code], message: error.message, cause: error });
}

/** The error that a caller receives, whatever was thrown. */
export function toLangwireError(error: TRPCError): LangwireError {
  const { cause } = error;
  if (cause instanceof LangwireError) return cause;
  if (cause instanceof z.core.$ZodError) {
    const issues = cause.issues.slice(0, issuesShown);
    const message = issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
    return new LangwireError("BAD_INPUT", { message, cause });
  }
  return new LangwireError(ownCodes[error.code] ?? "INTERNAL", { cause: error });
}

/**
 * tRPC's error formatter: our code under `data.langwire`, a message that was written for callers,
 * and never a stack. Use it in a router of your own that mounts ours.
 */
export function formatError({ shape, error }: { shape: TRPCErrorShape; error: TRPCError }) {
  const refused = toLangwireError(error);
  const { message, ...failure } = refused.toFailure();
  const langwire: Refusal = refused.unheard ? { ...failure, unheard: true } : failure;
  const { code, httpStatus } = shapeData(shape);
  return { code: shape.code, message, data: { code, httpStatus, langwire } };
}

/** The same for development, with what was thrown as `data.langwire.detail`. */
export function formatErrorInDetail(failed: { shape: TRPCErrorShape; error: TRPCError }) {
  const formatted = formatError(failed);
  const { cause } = toLangwireError(failed.error);
  // A request that does not fit is described by its message.
  if (cause === undefined || cause instanceof z.core.$ZodError) return formatted;
  const langwire: Refusal = {
    ...formatted.data.langwire,
    detail: describeThrown(cause),
  };
  return { ...formatted, data: { ...formatted.data, langwire } };
}

function shapeData(shape: TRPCErrorShape): { code: TRPC_ERROR_CODE_KEY; httpStatus: number } {
  return shape.data as { code: TRPC_ERROR_CODE_KEY; httpStatus: number };
}
