/** Logs what callers are told no more of than that it failed. */
import type { TRPCError } from "@trpc/server";
import type { FastifyBaseLogger } from "fastify";
import { toLangwireError } from "../../api/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";

const maxPathLength = 100;
/** Failures that the operator should hear of. */
const ours = new Set<ErrorCode>(["INTERNAL", "STORE_UNAVAILABLE", "AUTH_UNAVAILABLE"]);

/** A call that failed; its path and type are what the caller sent. */
export interface FailedCall {
  readonly error: TRPCError;
  readonly path: string | undefined;
  readonly type: string;
}

export type LogFailure = (failed: FailedCall) => void;

export function logFailures(logger: FastifyBaseLogger): LogFailure {
  return ({ error, path, type }) => {
    const failure = toLangwireError(error);
    const { code } = failure;
    const fields = { code, type, path: path?.slice(0, maxPathLength) };
    if (isOfTheWire(error.cause)) {
      logger.debug({ ...fields, err: error.cause }, "socket failed");
    } else if (ours.has(code)) {
      logger.error({ ...fields, err: failure.cause ?? error }, "request failed");
    } else if (code === "UNAUTHORIZED") {
      logger.info({ ...fields, err: failure }, "caller refused");
    } else {
      logger.debug(fields, "request refused");
    }
  };
}

/** A frame that is none, or a connection that broke: nothing of ours failed. */
export function isOfTheWire(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const { code, syscall } = cause as NodeJS.ErrnoException;
  return syscall !== undefined || code?.startsWith("WS_ERR_") === true;
}
