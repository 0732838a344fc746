/** The base of every procedure: the caller, canonical ids, our error codes. */

import type { CombinedDataTransformer } from "@trpc/server";
import { initTRPC } from "@trpc/server";
import superjson from "superjson";
import { LangwireError } from "../protocol/errors.ts";
import type { Store } from "../store/store.ts";
import { canonicalIds } from "./canonical-ids.ts";
import type { CallContext } from "./context.ts";
import { formatError, formatErrorInDetail, toTrpcError } from "./errors.ts";

/**
 * The context is whatever the mounting application has; `connection` reads ours out of it, so a
 * router made here fits into any other.
 */
export function createProcedures<Context extends object>(
  {
    connection,
    store,
    inDevelopment,
  }: {
    connection: (context: Context) => CallContext;
    store: Store;
    /** Whether callers get what was thrown. */
    inDevelopment: boolean;
  },
  transformer: CombinedDataTransformer | typeof superjson = superjson,
) {
  const errorFormatter = inDevelopment ? formatErrorInDetail : formatError;
  const t = initTRPC.context<object>().create({ transformer, errorFormatter });
  const canonical = t.procedure.use(({ ctx, getRawInput, next }) => {
    const { caller } = connection(ctx as Context);
    return next({ getRawInput: async () => canonicalIds(await getRawInput(), caller, store) });
  });
  const procedure = canonical.use(async ({ ctx, type, next }) => {
    const called = connection(ctx as Context);
    const leave =
      type === "subscription" ? undefined : await called.enterCall?.(type).catch(refuse);
    const result = await next({ ctx: called });
    leave?.(result.ok ? result.data : undefined);
    if (!result.ok && result.error.cause instanceof LangwireError) {
      throw toTrpcError(result.error.cause);
    }
    return result;
  });
  return { router: t.router, procedure };
}

export type Procedures = ReturnType<typeof createProcedures>;

function refuse(cause: unknown): never {
  throw toTrpcError(cause);
}
