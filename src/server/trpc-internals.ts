/**
 * What of tRPC is exported, and yet not promised to its users: calling a procedure by its path, and
 * putting an error into the shape that tRPC's own adapters give it. Kept in one file, so that whoever
 * raises tRPC's version knows what to look at; test/e2e and test/server hold both to stock clients.
 */
import {
  type AnyTRPCRouter,
  callTRPCProcedure,
  getTRPCErrorShape,
  type TRPCError,
  transformTRPCResponse,
} from "@trpc/server";
import type { Connection } from "../api/context.ts";
import type { ChatRouter } from "../api/router.ts";

export interface ProcedureCall {
  readonly type: "query" | "mutation" | "subscription";
  /** `chat.send`. */
  readonly path: string;
  /** What the procedure's schema is to see; what it throws is the caller's bad input. */
  readonly input: () => unknown;
  readonly ctx: Connection;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** @throws TRPCError, as the procedure and its middlewares throw it */
export function callProcedure(router: ChatRouter, call: ProcedureCall): Promise<unknown> {
  const { type, path, input, ctx, signal } = call;
  const getRawInput = async (): Promise<unknown> => input();
  return callTRPCProcedure({ router, path, type, ctx, getRawInput, signal, batchIndex: 0 });
}

/** The body that tRPC's adapters send for an error: `{"error": …}`, formatted and transformed. */
export function errorBody(router: AnyTRPCRouter, error: TRPCError): string {
  const config = router._def._config;
  const call = { type: "unknown", path: undefined, input: undefined, ctx: undefined } as const;
  const shape = getTRPCErrorShape({ config, error, ...call });
  return JSON.stringify(transformTRPCResponse(config, { error: shape }));
}
