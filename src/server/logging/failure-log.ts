/** Logs failed calls, whose causes callers do not receive. */
import type { TRPCError } from "@trpc/server";
import type { FastifyRequest } from "fastify";
import { toLangwireError } from "../../api/errors.ts";
import { describeThrown } from "../../bots/failures/thrown.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { RunLogger } from "../../runs/run-log.ts";

const maxPathLength = 100;
/** Failures of the server or its application, and not of the caller: logged as errors. */
const ours = new Set<ErrorCode>([
  "INTERNAL",
  "BOT_FAILED",
  "STORE_UNAVAILABLE",
  "AUTH_UNAVAILABLE",
]);

/** The request that a call came with, or that opened its socket: by its id in the log, and from where. */
export interface AskedBy {
  readonly reqId: string;
  readonly address: string;
}

/** A call that failed; its path and type are what the caller sent. */
export interface FailedCall {
  readonly error: TRPCError;
  readonly path: string | undefined;
  readonly type: string;
  /** Absent where the server is another's, which knows. */
  readonly askedBy?: AskedBy | undefined;
}

export function askedBy({ id, ip }: Pick<FastifyRequest, "id" | "ip">): AskedBy {
  return { reqId: id, address: ip };
}

type Logger = Pick<RunLogger, "info" | "error"> & { readonly debug: RunLogger["info"] };

export type LogFailure = (failed: FailedCall) => void;

/** @param logger the server's; where it has none, what else its failures are told to */
export function logFailures(logger: Logger): LogFailure {
  /** Calls of one socket or one batch that were all refused for the same reason, which is told once. */
  const told = new WeakSet<TRPCError>();
  return ({ error, path, type, askedBy }) => {
    if (told.has(error)) return;
    told.add(error);
    const failure = toLangwireError(error);
    const { code } = failure;
    const fields = { code, type, path: path?.slice(0, maxPathLength), ...askedBy };
    if (isConnectionError(error.cause)) {
      logger.debug({ ...fields, err: error.cause }, "socket failed");
    } else if (ours.has(code)) {
      const cause = failure.cause ?? error;
      logger.error({ ...fields, detail: describeThrown(cause), err: cause }, "request failed");
    } else if (code === "UNAUTHORIZED") {
      logger.info({ ...fields, why: failure.message }, "caller refused");
    } else {
      logger.debug(fields, "request refused");
    }
  };
}

/** Whether a connection broke, or its client sent a malformed frame: no failure of the server. */
export function isConnectionError(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const { code, syscall } = cause as NodeJS.ErrnoException;
  return syscall !== undefined || code?.startsWith("WS_ERR_") === true;
}
