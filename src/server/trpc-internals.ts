/**
 * What of tRPC is exported, and yet not promised to its users: calling a procedure by its path, and
 * putting an error into the shape that tRPC's own adapters give it. Kept in one file, so that whoever
 * raises tRPC's version knows what to look at; test/e2e and test/server hold both to stock clients.
 */
import {
  type AnyTRPCProcedure,
  type AnyTRPCRouter,
  callTRPCProcedure,
  getTRPCErrorShape,
  type TRPCError,
  transformTRPCResponse,
} from "@trpc/server";
import type { CallContext } from "../api/context.ts";
import type { ChatRouter } from "../api/router.ts";

export interface ProcedureCall {
  readonly type: "query" | "mutation" | "subscription";
  /** `chat.send`. */
  readonly path: string;
  /** The input for the procedure's schema; where this throws, the call is BAD_INPUT. */
  readonly input: () => unknown;
  readonly ctx: CallContext;
  /** Aborted when the caller waits no more for the answer. */
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
  return JSON.stringify(transformTRPCResponse(config, { error: shapeOf(router, error) }));
}

/** The data of the event that tRPC's adapters end a stream with: what stands at `error` in a body. */
export function errorEventData(router: AnyTRPCRouter, error: TRPCError): string {
  const { output } = router._def._config.transformer;
  return JSON.stringify(output.serialize(shapeOf(router, error)));
}

function shapeOf(router: AnyTRPCRouter, error: TRPCError) {
  const config = router._def._config;
  const call = { type: "unknown", path: undefined, input: undefined, ctx: undefined } as const;
  return getTRPCErrorShape({ config, error, ...call });
}

/** Whether there is a subscription at the path, such as `chat.watch`. */
export function isSubscription(router: AnyTRPCRouter, path: string): boolean {
  const procedures: object = router._def.procedures;
  if (!Object.hasOwn(procedures, path)) return false;
  const procedure: unknown = Reflect.get(procedures, path);
  return isProcedure(procedure) && procedure._def.type === "subscription";
}

function isProcedure(value: unknown): value is AnyTRPCProcedure {
  return typeof value === "function" && "_def" in value;
}
